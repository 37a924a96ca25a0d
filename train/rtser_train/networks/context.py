"""Context: what was said before in the utterance, joined to each segment's embedding."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Context(nn.Module):
    """A gated recurrent unit over the embeddings of an utterance's segments; only speech updates it.

    With the embedding x, the state c and the segment's gate g, 0..1 (0: no speech):

        z, r = sigmoid(W x + U c);  n = tanh(V x + r * (T c));  c' = c + g (1 - z) (n - c)

    (Cho et al., 2014; the gate is ours.) A pause or a silent beginning of any length leaves the state unchanged.

    Args:
        embedding: F.
        width: C, of the state.
    """

    def __init__(self, embedding: int, width: int) -> None:
        super().__init__()
        self.width = width
        self.seen = nn.Linear(embedding, 3 * width)
        self.kept = nn.Linear(width, 3 * width)

    def forward(self, embeddings: Tensor, gate: Tensor, restart: Tensor | None = None) -> Tensor:
        """Embeddings (B, S, F) with the state after each segment, (B, S, F + C).

        Args:
            embeddings: (B, S, F).
            gate: (B, S), 0..1.
            restart: (B, S), 1 where the utterance is forgotten before the segment; None: nowhere.
        """
        state = embeddings.new_zeros(len(embeddings), self.width)
        states = []
        seen = self.seen(embeddings)
        for number in range(embeddings.shape[1]):
            if restart is not None:
                state = state * (1 - restart[:, number : number + 1])
            state = self._next(seen[:, number], gate[:, number : number + 1], state)
            states.append(state)
        return torch.cat([embeddings, torch.stack(states, 1)], -1)

    def step(self, embedding: Tensor, gate: Tensor, state: Tensor) -> Tensor:
        """The state (B, C) after one more segment, from embeddings (B, F), gates (B, 1) and the state before."""
        return self._next(self.seen(embedding), gate, state)

    def _next(self, seen: Tensor, gate: Tensor, state: Tensor) -> Tensor:
        update, reset, new = seen.chunk(3, -1)
        update_kept, reset_kept, new_kept = self.kept(state).chunk(3, -1)
        update = (update + update_kept).sigmoid()
        candidate = (new + (reset + reset_kept).sigmoid() * new_kept).tanh()
        following: Tensor = state + gate * (1 - update) * (candidate - state)
        return following
