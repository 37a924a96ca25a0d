"""Sends events to an MQTT broker, for home automation."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from rtser.errors import INSTALL, InputError, OutputError, UnavailableError, reason_of
from rtser.events import DecisionEvent, Event, StartEvent, utc_now

PASSWORD_VARIABLE = "RTSER_MQTT_PASSWORD"
PORTS = {"mqtt": 1883, "mqtts": 8883}
MOST_WAITING = 1_000
"""Most messages that wait while the broker is away. Further ones are dropped; the label is sent again later."""
CONNECT_S = 5.0
CLOSE_S = 1.0
logger = logging.getLogger(__name__)


class Mqtt:
    """Publishes the label and all events except decisions. It survives a broker that goes away and comes back.

    Under the prefix of the address: ``event`` has utterances and all other events except decisions, as JSON. ``label``
    has the emotion now, or ``none`` (retained). ``status`` is online or offline (retained; the broker itself says
    offline if the connection is lost).

    Args:
        url: mqtt://USER@HOST:PORT/PREFIX, or mqtts://. Without a prefix it is ``rtser``. The password is in the
            environment variable RTSER_MQTT_PASSWORD.
        notify: called with a sentence when the broker goes away.

    Raises:
        InputError: the address is not valid.
        OutputError: the broker cannot be reached, or refuses.
        UnavailableError: the package paho-mqtt is not installed.
    """

    def __init__(self, url: str, notify: Callable[[str], object] | None = None) -> None:
        try:
            from paho.mqtt.client import Client
            from paho.mqtt.enums import CallbackAPIVersion
        except ModuleNotFoundError:
            raise UnavailableError("MQTT needs the package paho-mqtt", INSTALL.format("mqtt")) from None
        parts = urlsplit(url)
        try:
            port = parts.port or PORTS[parts.scheme]
        except (ValueError, KeyError):
            port = 0
        if not port or not parts.hostname or parts.password or set("+#") & set(parts.path):
            advice = f"write mqtt://HOST:PORT/PREFIX, and a password into {PASSWORD_VARIABLE}"
            named = f"{parts.scheme}://{parts.hostname or ''}" if parts.scheme else url.rpartition("@")[2]
            raise InputError(f"{named} is not the address of an MQTT broker", advice)
        self._name, self._prefix = f"{parts.scheme}://{parts.hostname}", parts.path.strip("/") or "rtser"
        self._notify, self._label, self._away, self._closing = notify, "none", False, False
        self._answered, self._refusal = threading.Event(), ""
        self._client = Client(CallbackAPIVersion.VERSION2)
        self._client.max_queued_messages_set(MOST_WAITING)
        self._client.reconnect_delay_set(1, 30)
        self._client.connect_timeout = CONNECT_S
        if parts.username:
            self._client.username_pw_set(parts.username, os.environ.get(PASSWORD_VARIABLE))
        if parts.scheme == "mqtts":
            self._client.tls_set()
        self._client.will_set(f"{self._prefix}/status", "offline", qos=1, retain=True)
        self._client.on_connect, self._client.on_disconnect = self._connected, self._disconnected
        try:
            self._client.connect(parts.hostname, port)
        except OSError as error:
            problem = f"{self._name} cannot be reached ({reason_of(error)})"
            raise OutputError(problem, "is the broker running?") from None
        self._client.loop_start()
        if not self._answered.wait(CONNECT_S) or self._refusal:
            self._closing = True
            self._client.loop_stop()
            raise OutputError(f"{self._name} {self._refusal or 'does not answer'}", "check the user and the password")

    def write(self, event: Event) -> None:
        """Publish an event, or the label if the label has changed."""
        if isinstance(event, DecisionEvent):
            label = event.label or "none"
            if label != self._label:
                self._label = label
                self._publish("label", label, retain=True)
            return
        if isinstance(event, StartEvent):
            self._label = "none"
            self._publish("label", self._label, retain=True)
        self._publish("event", event.to_json(utc_now()))

    def close(self) -> None:
        """Send the last messages, and disconnect."""
        self._closing = True
        self._publish("label", "none", retain=True)
        last = self._publish("status", "offline", retain=True)
        if self._client.is_connected():
            last.wait_for_publish(CLOSE_S)
        self._client.disconnect()
        self._client.loop_stop()

    def _publish(self, topic: str, content: str, retain: bool = False) -> Any:
        return self._client.publish(f"{self._prefix}/{topic}", content, qos=1, retain=retain)

    def _connected(self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self._refusal = f"refuses ({reason})"
            self._answered.set()
            self._tell(f"{self._name} {self._refusal}")
            return
        self._answered.set()
        self._publish("status", "online", retain=True)
        self._publish("label", self._label, retain=True)
        if self._away:
            self._away = False
            logger.warning("%s is back.", self._name)

    def _disconnected(self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if not self._closing:
            self._tell(f"{self._name} has gone ({reason})")

    def _tell(self, problem: str) -> None:
        """Warn once, until the broker is back."""
        if not self._away and not (self._refusal or self._closing):
            self._away = True
            logger.warning("%s. Recognition continues, and rtser tries to reconnect.", problem)
            if self._notify:
                self._notify(problem)
