"""How a model fares as its users meet it: in noise, rooms, calls, too quiet or too loud, and where nobody speaks."""
