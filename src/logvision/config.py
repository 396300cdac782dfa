"""Configuration: TOML file, then environment, then flags; validated whole before anything starts.

Only `cli` and `app` read it. Every mistake is reported at once with its place, what came and what
was expected.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from logvision.errors import Problem, SetupError, without_secrets

ENV_PREFIX = "LOGVISION_"


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path.expanduser()))  # noqa: PTH100 - resolve() would follow symlinks


AbsolutePath = Annotated[Path, AfterValidator(_absolute)]


def _makes(make: Callable[[str], object]) -> AfterValidator:
    """A text that something is made of, which says itself what is wrong with it."""

    def check(text: str) -> str:
        try:
            make(text)
        except SetupError as error:
            raise PydanticCustomError("made", "{problems}", {"problems": error.problems}) from None
        return text

    return AfterValidator(check)


# What makes them is loaded where a text stands: they take a third of a second, and most have none.
def _proxy(text: str) -> object:
    from logvision.enrich.client import TrustedProxies  # noqa: PLC0415

    return TrustedProxies([text])


def _preset(name: str) -> object:
    from logvision.enrich.client import TrustedProxies  # noqa: PLC0415

    return TrustedProxies(presets=[name])


def _format(given: str) -> object:
    from logvision.formats import Formats  # noqa: PLC0415

    return Formats({"*": given})


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SourceSettings(_Section):
    """Where log lines come from."""

    paths: tuple[str, ...] = ()  # files and globs; "-" is standard input
    syslog: tuple[str, ...] = ()  # udp://host:port or tcp://host:port
    history: bool = True  # read what is there, with rotated siblings, before following
    rate: float = Field(default=200.0, gt=0)  # lines per second of generated traffic
    seed: int = 1


class KafkaSettings(_Section):
    """The topic of log lines: where `ship` writes and `watch` reads."""

    brokers: tuple[str, ...] = ()  # host:port
    topic: str = Field(default="access-logs", pattern=r"^[A-Za-z0-9._-]{1,249}$")
    group: str = Field(default="logvision", min_length=1)  # readers of a group share the partitions
    # Properties of librdkafka, e.g. "security.protocol" = "SASL_SSL"; passed through as they are.
    settings: dict[str, str | int | float | bool] = Field(default_factory=dict)


class ClientSettings(_Section):
    """Whose X-Forwarded-For is believed."""

    trusted_proxies: tuple[Annotated[str, _makes(_proxy)], ...] = ()  # CIDR
    presets: tuple[
        Annotated[str, _makes(_preset)], ...
    ] = ()  # names of published ranges, e.g. cloudflare, private


class NetworkSettings(_Section):
    """MaxMind-format files instead of the ones that come with LogVision."""

    country_db: AbsolutePath | None = None
    asn_db: AbsolutePath | None = None


class DetectSettings(_Section):
    """What counts as an attack."""

    threshold: float = Field(default=0.5, ge=0.05, le=0.999)
    rules: tuple[AbsolutePath, ...] = ()  # more folders of Sigma rules
    scenarios: tuple[AbsolutePath, ...] = ()  # more folders of behaviour scenarios


class LakeSettings(_Section):
    """What is kept, where and for how long."""

    folder: AbsolutePath = Path("logvision-data")
    keep_days: float = Field(default=90.0, gt=0)
    keep_bytes: int | None = Field(default=None, gt=0)
    anonymise: Literal["no", "truncate", "hash"] = "no"
    flush_s: float = Field(default=2.0, gt=0, le=300)
    flush_rows: int = Field(default=32_768, ge=1_000)


def _address(*words: str, schemes: tuple[str, ...]) -> AfterValidator:
    """One of these words, or an address of one of these schemes."""

    def check(text: str) -> str:
        if text in words or (text.partition("://")[0] in schemes and "://" in text):
            return text
        expected = " or ".join([*words, *(f"{scheme}://host" for scheme in schemes)])
        raise PydanticCustomError("address", "{expected}", {"expected": expected})

    return AfterValidator(check)


class CasebookSettings(_Section):
    """Where incidents, decisions and the state of detection are kept."""

    # sqlite: a file in the data folder. mongodb://user:password@host:port/database?options
    url: Annotated[str, _address("sqlite", schemes=("mongodb", "mongodb+srv"))] = "sqlite"
    keep_days: float = Field(
        default=365.0, gt=0, le=36_500
    )  # of settled cases and of exceptions that are over


class LiveSettings(_Section):
    """How the page hears of what happens now."""

    # memory: of one process. redis://user:password@host:port/number
    url: Annotated[str, _address("memory", schemes=("redis", "rediss", "unix"))] = "memory"


class WebSettings(_Section):
    """The page."""

    host: str = "127.0.0.1"
    port: int = Field(default=8710, ge=0, le=65_535)
    password_hash: str | None = None  # from `logvision password`
    allowed_hosts: tuple[str, ...] = ()  # further Host names, e.g. behind a reverse proxy
    metrics_token: str | None = Field(default=None, min_length=16)  # opens /metrics as a bearer token


class Settings(_Section):
    """Everything that can be set."""

    source: SourceSettings = SourceSettings()
    kafka: KafkaSettings = KafkaSettings()
    # Formats that are told instead of detected: glob over the source's name to a format's name, or to
    # a pasted log_format or LogFormat line.
    formats: dict[str, Annotated[str, _makes(_format)]] = Field(default_factory=dict)
    client: ClientSettings = ClientSettings()
    network: NetworkSettings = NetworkSettings()
    detect: DetectSettings = DetectSettings()
    lake: LakeSettings = LakeSettings()
    casebook: CasebookSettings = CasebookSettings()
    live: LiveSettings = LiveSettings()
    web: WebSettings = WebSettings()


def load(file: Path | None, flags: Mapping[str, Any]) -> Settings:
    """Settings from a TOML file (may be None), the environment and flags, the later winning.

    `flags` is nested by section; a None in it means "not given". Raises SetupError with every
    mistake that was found.
    """
    settings, problems = examined(file, flags)
    if problems:
        raise SetupError(problems)
    return settings


def examined(file: Path | None, flags: Mapping[str, Any]) -> tuple[Settings, list[Problem]]:
    """The same with every mistake beside it; a setting that is wrong is left out, so that what the others
    name can be examined too. Raises SetupError where the file itself cannot be read."""
    text = ""
    table: dict[str, Any] = {}
    if file is not None:
        text, table = _read_toml(file)
    merged = _merge(_merge(table, _environment()), _given(flags))
    try:
        return Settings.model_validate(merged), []
    except ValidationError as error:
        wrong = error.errors()
    for first, *rest in {tuple(map(str, mistake["loc"][:2])) for mistake in wrong}:
        section = merged[first] if rest else merged
        del section[rest[0] if rest else first]
    problems = [problem for mistake in wrong for problem in _problems(mistake, file, text)]
    return Settings.model_validate(merged), problems


def _read_toml(file: Path) -> tuple[str, dict[str, Any]]:
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise SetupError(Problem(str(file), error.strerror or "unreadable", "a readable TOML file")) from None
    except UnicodeDecodeError as error:
        raise SetupError(Problem(str(file), f"a byte that is no UTF-8 at {error.start}", "TOML")) from None
    try:
        return text, tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        said, place, line = str(error).partition(" (at line ")
        where = f"{file}:{line.partition(',')[0]}" if place else str(file)
        raise SetupError(Problem(where, said[:1].lower() + said[1:], "TOML")) from None


def _environment() -> dict[str, Any]:
    """LOGVISION_WEB__PORT=8000 as {"web": {"port": "8000"}}."""
    found: dict[str, Any] = {}
    for name, value in os.environ.items():
        if name.startswith(ENV_PREFIX) and "__" in name:
            section, _, key = name.removeprefix(ENV_PREFIX).lower().partition("__")
            field = Settings.model_fields.get(section)
            if field is None or not hasattr(field.annotation, "model_fields"):
                found.setdefault(section, {})[key] = value
                continue
            found.setdefault(section, {})[key] = _listed(field.annotation, key, value)
    return found


def _listed(section: Any, key: str, value: str) -> Any:
    """A comma-separated variable where the setting is a list."""
    field = section.model_fields.get(key)
    if field is not None and get_args(field.annotation)[1:] == (...,):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _given(flags: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: _given(value) if isinstance(value, Mapping) else value
        for key, value in flags.items()
        if value is not None
    }


def _merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        if isinstance(value, Mapping) and old is not None:
            # What is no section where one should stand is left for the validation to tell of.
            merged[key] = _merge(old, value) if isinstance(old, Mapping) else old
        else:
            merged[key] = value
    return merged


def _problems(error: Any, file: Path | None, text: str) -> Iterator[Problem]:
    location = [str(part) for part in error["loc"]]
    name = ".".join(part if part.replace("_", "").isalnum() else f'"{part}"' for part in location)
    variable = ENV_PREFIX + "__".join(location[:2]).upper()
    if str(error["input"]) in os.environ.get(variable, "\0"):
        where = f"{variable} {name}"
    else:
        where = f"{file}:{line} {name}" if file and (line := _line_of(location, text)) else name
    kind, came = error["type"], error["input"]
    if kind == "extra_forbidden":
        valid = sorted(_valid_keys(location[:-1]))
        close = difflib.get_close_matches(location[-1], valid, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        yield Problem(where, f"unknown key {location[-1]!r}", f"one of {', '.join(valid)}{hint}")
    elif kind == "made":
        for problem in error["ctx"]["problems"]:
            yield Problem(where, problem.got, problem.expected)
    elif kind == "address":  # which may hold a password
        yield Problem(where, repr(without_secrets(came)), error["msg"])
    elif kind == "tuple_type":
        yield Problem(where, repr(came), 'a list, such as ["one", "another"]')
    else:
        yield Problem(where, repr(came), error["msg"][0].lower() + error["msg"][1:])


def _valid_keys(location: list[str]) -> Iterator[str]:
    section: Any = Settings.model_fields[location[0]].annotation if location else Settings
    yield from section.model_fields


def _line_of(location: list[str], text: str) -> int | None:
    """Line of a setting in the TOML text, or of its section, as far as plain reading can tell."""
    section, line_of_section = "", None
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if stripped.startswith("["):
            section = stripped.strip("[] ")
            line_of_section = number if section == location[0] else line_of_section
        key = stripped.split("=", 1)[0].strip().strip('"')
        if len(location) > 1 and section == location[0] and key == location[1]:
            return number
        if len(location) == 1 and section == "" and key == location[0]:
            return number
    return line_of_section
