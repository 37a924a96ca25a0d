"""What this machine can do: latency, speed, and a check-up."""
