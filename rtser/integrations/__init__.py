"""rtser inside other programs: Pipecat, LiveKit Agents. Each needs the package that it is for."""
