"""The messages of a command: lines for a person, or one JSON object a line for a program.

All of it goes to standard error, through the logger `claimatlas`. Neither form holds a person's data: messages contain
counts, names of tables and files, and settings.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from tqdm import tqdm

LOGGER = logging.getLogger("claimatlas")
FORMATS = ("text", "json")
_MAX_LENGTH = 2000
"""Characters of a line of a message."""


class Event(StrEnum):
    """The kind of a message: the field `event` of a JSON line."""

    PROGRESS = "progress"
    STAGE_STARTED = "stage_started"
    STAGE_ENDED = "stage_ended"
    WARNING = "warning"
    SUMMARY = "summary"
    NOTE = "note"
    MESSAGE = "message"
    ERROR = "error"
    OTHER = "other"
    """Said by another program or library: Java, Python's warnings."""


@dataclass
class _Context:
    """The origin of a message, in every JSON line; null while it is unknown."""

    job: str | None = None
    run_id: str | None = None
    stage: str | None = None


@dataclass
class _Installed:
    """The handlers that this module has added to Python's logging."""

    handlers: list[tuple[logging.Logger, logging.Handler]] = field(default_factory=list)
    captures_warnings: bool = False


_context = _Context()
_installed = _Installed()


def set_up(log_format: str, job: str | None) -> None:
    """Set the format of messages for a command of this name. The context of an earlier command is cleared."""
    _context.job, _context.run_id, _context.stage = job, None, None
    for logger, handler in _installed.handlers:
        logger.removeHandler(handler)
    _installed.handlers.clear()
    is_json = log_format == "json"
    handler = _StandardError()
    handler.setFormatter(_JsonFormatter() if is_json else _TextFormatter())
    # A warning is shown again, with all others, in the summary for a person.
    handler.addFilter(lambda record: is_json or getattr(record, "event", None) is not Event.WARNING)
    _install(LOGGER, handler)
    LOGGER.setLevel(logging.INFO)
    # A notebook's own handlers would print everything twice.
    LOGGER.propagate = False
    _capture_warnings(is_json)
    if is_json and not logging.getLogger().handlers:
        # What Python and other libraries have to say is a line of JSON as well.
        _install(logging.getLogger(), handler)


def add_option(parser: argparse.ArgumentParser) -> None:
    """``--log-format``."""
    parser.add_argument(
        "--log-format",
        choices=FORMATS,
        default="text",
        help="messages on standard error as lines for a person, or as one JSON object a line (default: text)",
    )


def asked_format(arguments: Sequence[str] | None) -> str:
    """The format that a command's arguments ask for, even when other arguments are wrong."""
    parser = argparse.ArgumentParser(add_help=False, exit_on_error=False)
    add_option(parser)
    try:
        return str(parser.parse_known_args(arguments)[0].log_format)
    except argparse.ArgumentError:
        return "text"


def is_json() -> bool:
    """Whether the messages are for a program."""
    return any(isinstance(handler.formatter, _JsonFormatter) for _, handler in _installed.handlers)


def bind(**known: str | None) -> None:
    """Add ``job``, ``run_id`` or ``stage`` to every JSON line from now on."""
    for name, value in known.items():
        setattr(_context, name, value)


def say(
    event: Event,
    message: str,
    fields: Mapping[str, object] | None = None,
    *,
    level: int = logging.INFO,
    text: str | None = None,
) -> None:
    """Write a message: ``message`` with ``fields`` for a program; ``text``, or else ``message``, for a person."""
    LOGGER.log(level, message, extra={"event": event, "text": text, "fields": dict(fields or {})})


def say_message(message: str) -> None:
    """Write a message on how far a command is."""
    say(Event.MESSAGE, message)


def complain(message: str, exit_code: int, **fields: object) -> None:
    """Write why a command fails."""
    # Names come from files: cut long ones, and drop control characters, which would steer a terminal.
    short = "\n".join(line if len(line) <= _MAX_LENGTH else line[:_MAX_LENGTH] + "…" for line in message.split("\n"))
    shown = "".join(sign if sign.isprintable() or sign == "\n" else repr(sign)[1:-1] for sign in short)
    say(Event.ERROR, shown, {"exit_code": exit_code, **fields}, level=logging.ERROR)


def _capture_warnings(wanted: bool) -> None:
    """Turn Python's warnings into messages, or stop it. Other code may have turned them on too."""
    if wanted != _installed.captures_warnings:
        logging.captureWarnings(wanted)
        _installed.captures_warnings = wanted


def _install(logger: logging.Logger, handler: logging.Handler) -> None:
    logger.addHandler(handler)
    _installed.handlers.append((logger, handler))


class _StandardError(logging.Handler):
    """Writes to the standard error of the moment, above a bar if there is one."""

    def emit(self, record: logging.LogRecord) -> None:
        tqdm.write(self.format(record), file=sys.stderr)
        sys.stderr.flush()


class _TextFormatter(logging.Formatter):
    """For a person."""

    def format(self, record: logging.LogRecord) -> str:
        event = getattr(record, "event", Event.OTHER)
        text: str | None = getattr(record, "text", None)
        if event is Event.SUMMARY and text is not None:
            return text
        message = record.getMessage() if text is None else text
        if event in (Event.PROGRESS, Event.STAGE_STARTED, Event.STAGE_ENDED):
            elapsed: float = record.__dict__["fields"]["elapsed_seconds"]
            return f"[{elapsed:7.1f} s] {message}"
        return f"{'Note' if event is Event.NOTE else 'claimatlas'}: {message}"


class _JsonFormatter(logging.Formatter):
    """For a program: one object a line, without characters that some readers take for the end of a line."""

    def format(self, record: logging.LogRecord) -> str:
        said_at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        said: dict[str, Any] = {
            "time": said_at.replace("+00:00", "Z"),
            "level": record.levelname,
            "job": _context.job,
            "run_id": _context.run_id,
            "stage": _context.stage,
            "event": getattr(record, "event", Event.OTHER),
            "message": record.getMessage(),
            **getattr(record, "fields", {"logger": record.name}),
        }
        return json.dumps(said)


# Programs that use the package without a command get its progress messages too.
set_up("text", None)
