"""rtser inside other programs: Pipecat, LiveKit Agents, MQTT. Each needs the package that it is for."""
