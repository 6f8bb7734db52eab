"""Messages in Avro and Protobuf become events; what is not of its schema is refused, an outage refuses nothing."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as tries
from hypothesis import strategies as st

from lis_online.doctor.registry import check_registry
from lis_online.errors import EventRefused, RegistryError, SettingsError
from lis_online.events.wire import Feedback, Impression
from lis_online.mapping import schemas as of_schemas
from lis_online.mapping.codec import Codec
from lis_online.mapping.registry import Registry
from lis_online.mapping.schemas import ASKED_AGAIN_AFTER, Schemas
from lis_online.records import Record
from lis_online.settings import Settings
from lis_online.shards.join import JoinShard
from tests.mapping.encodings import BOOK, DEED, MAPPING, SHELF, avro, proto_file, registered
from tests.mapping.registry_server import RegistryServer

AVRO = bytes.fromhex("0000000001047331aaf105e0f5e0dca3b9040080eed89a94acb006020401a4")
PROTOBUF = bytes.fromhex("000000000202020a02733110d5f80218f0bab0eed19c0220012a0b0883fcffd70610809c9c39")
"""A deed as the serializers of confluent-kafka 2.16 write it."""

DECODED = {"shelf": "s1", "reader": 48213, "isbn": 9780140449136}
TEST = {"name": "cover-q4", "arm": "b"}
PROTO_PATHS = {"ts": {"path": "$.at", "unit": "rfc3339"}, "format": "protobuf"}


@pytest.fixture(scope="module")
def registry() -> Iterator[RegistryServer]:
    """A registry with the shop's schemas."""
    with RegistryServer() as server:
        server.schemas = {
            1: registered(DEED),
            2: registered(proto_file(), kind="PROTOBUF"),
            3: registered(SHELF, ("shop.Book", "books/all", 4)),
            4: registered({"type": "record", "name": "N", "fields": [{"name": "next", "type": ["null", "N"]}]}),
            5: registered({"type": "array", "items": "null"}),
            6: registered("no schema"),
            7: registered(SHELF, ("shop.Book", "gone", 1)),
            8: registered({"type": "object"}, kind="JSON"),
        }
        server.subjects = {("books/all", 4): registered(BOOK)}
        yield server


@pytest.fixture(autouse=True)
def _as_it_was(registry: RegistryServer) -> Iterator[None]:
    yield
    registry.status = registry.authorization = None
    registry.asked.clear()


def settings_of(registry: RegistryServer, **feedback: Any) -> Settings:
    """Return settings whose feedback is in Avro but for changes."""
    mapping = {**MAPPING, "feedback": {**MAPPING["feedback"], **feedback}, "registry": {"url": registry.url}}
    return Settings.of({"mapping": mapping})


def codec_of(registry: RegistryServer, **feedback: Any) -> Codec:
    """Return the codec of such settings."""
    return Codec(settings_of(registry, **feedback).mapping)


def refusal(codec: Codec, value: bytes) -> str:
    """Return why a message is refused."""
    with pytest.raises(EventRefused) as caught:
        codec.events("feedback", value)
    return str(caught.value)


def test_avro_of_another_serializer_is_read(registry: RegistryServer) -> None:
    """Times are the numbers that were written, money is a number; a schema is asked for once."""
    codec = codec_of(registry)
    for _ in range(2):
        (deed,) = codec.events("feedback", AVRO)
    assert isinstance(deed, Feedback)
    assert (deed.request_id, deed.user_id, deed.item_id) == ("s1", "48213", "9780140449136")
    assert (deed.ts, deed.action, deed.value) == (1795161603120, "click", 4.2)
    assert registry.asked == ["/schemas/ids/1"]
    assert codec.time("feedback", AVRO) == 1795161603120


def test_protobuf_of_another_serializer_is_read(registry: RegistryServer) -> None:
    """Its second message, by index; `Timestamp` is text in RFC 3339."""
    codec = codec_of(registry, **PROTO_PATHS)
    (deed,) = codec.events("feedback", PROTOBUF)
    assert isinstance(deed, Feedback)
    assert (deed.request_id, deed.user_id, deed.item_id) == ("s1", "48213", "9780140449136")
    assert (deed.ts, deed.action, deed.value) == (1795161603120, "read", 1.0)
    assert codec.document("feedback", PROTOBUF) == {**DECODED, "did": "read", "at": "2026-11-20T08:00:03.120Z"}
    assert registry.asked == ["/schemas/ids/2?format=serialized"]


def test_schema_that_refers_to_another_is_read_with_it(registry: RegistryServer) -> None:
    """The subject is quoted in the address; experiments are a list."""
    message = {"id": "s1", "reader": 7, "at": 1795161603120500, "books": [{"isbn": 5, "rank": 0}], "tests": [TEST]}
    (shelf,) = codec_of(registry).events("impressions", avro(3, SHELF, message, BOOK))
    assert isinstance(shelf, Impression)
    assert (shelf.items, shelf.positions, shelf.ts, shelf.experiments) == (["5"], [0], 1795161603120, {"cover-q4": "b"})
    assert registry.asked == ["/schemas/ids/3", "/subjects/books%2Fall/versions/4"]


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (b"", "malformed: value must begin with a byte 0 and a schema's id, got 0 bytes"),
        (b'{"shelf": 1}', "malformed: value must begin with a byte 0 and a schema's id, got first byte 123"),
        (AVRO[:-3], "malformed: value must be Avro of its schema, got EOFError"),
        (AVRO + b"x", "malformed: value must be Avro of its schema, got 1 bytes more"),
        (bytes([0, 0, 0, 0, 99]), "malformed: schema 99 must be in the registry, got none of that id"),
        (bytes([0, 0, 0, 0, 2]), "malformed: schema 2 must be of avro, got PROTOBUF"),
        (bytes([0, 0, 0, 0, 4]), "malformed: schema 4 must not hold itself, got N within N"),
        (bytes([0, 0, 0, 0, 5]), "malformed: schema 5 must have no list of values that take no bytes"),
        (bytes([0, 0, 0, 0, 6]), "malformed: schema 6 must be a schema of Avro"),
        (bytes([0, 0, 0, 0, 7]), "malformed: schema 7 refers to shop.Book, which the registry does not have"),
        (b"\0" * (1 << 21), "too_large: value must be at most 1048576 bytes"),
    ],
)
def test_message_that_is_not_of_its_schema_is_refused(registry: RegistryServer, value: bytes, sentence: str) -> None:
    """In one sentence. A schema that nests without end would let a message end the process; it is not used."""
    codec = codec_of(registry)
    assert refusal(codec, value).startswith(sentence)
    codec.prepare([Record("feedback", 0, 0, -1, value)])


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (bytes([0, 0, 0, 0, 2]), "value must have message indexes behind the schema's id, got none that end"),
        (bytes([0, 0, 0, 0, 2, 2, 4]), "value must name a message of its schema, got index 2"),
        (bytes([0, 0, 0, 0, 2, 1]), "value must have 1 to 32 message indexes, got -1"),
        (PROTOBUF[:-1], "value must be Protobuf of its schema, got other bytes"),
        (bytes([0, 0, 0, 0, 2, 0]), "request_id must be at $.shelf, got nothing"),
    ],
)
def test_protobuf_that_is_not_of_its_schema_is_refused(registry: RegistryServer, value: bytes, sentence: str) -> None:
    """The single byte 0 is the first message of the file, which is another than the mapping expects."""
    assert refusal(codec_of(registry, **PROTO_PATHS), value) == f"malformed: {sentence}"


@tries(max_examples=60, deadline=None)
@given(data=st.data(), form=st.sampled_from(["avro", "protobuf", "json-schema"]))
def test_no_bytes_end_in_anything_but_events_or_a_refusal(
    registry: RegistryServer, data: st.DataObject, form: str
) -> None:
    """Bytes changed, cut and made up, behind the id of a schema that is there."""
    whole = PROTOBUF if form == "protobuf" else AVRO
    raw = bytearray(whole + data.draw(st.binary(max_size=20)))
    for at in data.draw(st.lists(st.integers(5, len(raw) - 1), max_size=4)):
        raw[at] = data.draw(st.integers(0, 255))
    codec = CODECS.setdefault((registry.url, form), codec_of(registry, format=form))
    try:
        found = codec.events("feedback", bytes(raw[: data.draw(st.integers(0, len(raw)))]))
    except EventRefused:
        return
    assert all(isinstance(one, Feedback) for one in found)


CODECS: dict[tuple[str, str], Codec] = {}


def test_json_behind_an_id_needs_no_registry() -> None:
    """Serializers for JSON Schema write five bytes in front of JSON."""
    mapping = {"feedback": {**MAPPING["feedback"], "format": "json-schema"}}
    message = {**DECODED, "did": "open", "at": 5_000_000}
    (deed,) = Codec(Settings.of({"mapping": mapping}).mapping).events(
        "feedback", bytes([0, 0, 0, 0, 9]) + json.dumps(message).encode()
    )
    assert (deed.ts, isinstance(deed, Feedback)) == (5000, True)


@pytest.mark.parametrize("status", [401, 404, 429, 500, 501, 301])
def test_registry_that_does_not_answer_refuses_no_message(registry: RegistryServer, status: int) -> None:
    """A shard applies nothing of what it was fed, and all of it once the registry is back."""
    registry.status = status
    shard = JoinShard(settings_of(registry), 0)
    now = time.time_ns() // 1_000_000
    records = [Record("feedback", 0, 0, now, b"{}"), Record("feedback", 0, 1, now, AVRO)]
    with pytest.raises(RegistryError, match=f"must answer, got {status}") as caught:
        shard.feed(records)
    assert caught.value.transient
    assert (dict(shard.positions), shard.counts) == ({}, {})
    registry.status = None
    letters = shard.feed(records)
    assert shard.positions == {"feedback": 2}
    assert [letter.topic for letter in letters].count("dead_letters") >= 1


def test_registry_that_is_not_there_is_an_outage() -> None:
    """Nothing listens at port 1."""
    settings = Settings.of({"mapping": {**MAPPING, "registry": {"url": "http://127.0.0.1:1"}}})
    with pytest.raises(RegistryError, match=r"^schema registry http://127\.0\.0\.1:1 must answer: .*refused"):
        Codec(settings.mapping).events("feedback", AVRO)


def test_unknown_id_is_asked_for_again_after_a_while(registry: RegistryServer) -> None:
    """Not for each message, which may name any id; what the registry then has is used."""
    times = [0.0]
    schemas = Schemas("avro", Registry(settings_of(registry).mapping.registry), lambda: times[-1])
    value = bytes([0, 0, 0, 1, 0]) + AVRO[5:]
    for at in (0.0, ASKED_AGAIN_AFTER - 1):
        times.append(at)
        with pytest.raises(EventRefused, match="schema 256 must be in the registry"):
            schemas.document(value)
    assert registry.asked == ["/schemas/ids/256"]
    registry.schemas[256] = registry.schemas[1]
    times.append(ASKED_AGAIN_AFTER)
    assert schemas.document(value)["shelf"] == "s1"
    del registry.schemas[256]


def test_unknown_ids_that_are_remembered_are_bounded(registry: RegistryServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever writes other bytes into the topic names a new one with each."""
    monkeypatch.setattr(of_schemas, "MOST_UNKNOWN", 3)
    schemas = Schemas("avro", Registry(settings_of(registry).mapping.registry))
    for number in (300, 301, 302, 303, 300):
        schemas.prepare(bytes([0]) + number.to_bytes(4, "big"))
    assert registry.asked[-1] == "/schemas/ids/300"


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"username": "lis", "password": "secret"}, f"Basic {base64.b64encode(b'lis:secret').decode()}"),
        ({"token": "long-token"}, "Bearer long-token"),
    ],
)
def test_credentials_are_sent(registry: RegistryServer, given: dict[str, str], sent: str) -> None:
    """And without them doctor says what the registry answers."""
    registry.authorization = sent
    settings = Settings.of({"mapping": {"registry": {"url": registry.url, **given}}}).mapping.registry
    assert [finding.state for finding in check_registry(settings)] == ["ok"]
    bare = Settings.of({"mapping": {"registry": {"url": registry.url}}}).mapping.registry
    (finding,) = check_registry(bare)
    assert (finding.state, "got 401" in finding.said) == ("wrong", True)
    assert list(check_registry(Settings.of({}).mapping.registry)) == []


@pytest.mark.parametrize(("status", "got"), [(None, "other text"), (501, "501 Not Implemented")])
def test_registry_that_cannot_serialize_protobuf_is_no_outage(
    registry: RegistryServer, status: int | None, got: str
) -> None:
    """No message is refused for what the registry cannot do, and nobody waits for it."""
    registry.schemas[9] = registered('syntax = "proto3"; message A {}', kind="PROTOBUF")
    registry.status = status
    with pytest.raises(RegistryError) as caught:
        codec_of(registry, **PROTO_PATHS).events("feedback", bytes([0, 0, 0, 0, 9, 0]))
    assert str(caught.value) == (
        f"schema registry must give Protobuf's schemas serialized (?format=serialized), got {got}"
    )
    assert not caught.value.transient


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ({"url": "registry:8081"}, "mapping.registry.url: must be an address such as https://registry:8081"),
        ({"url": "file:///etc/passwd"}, "mapping.registry.url: must be an address such as https://registry:8081"),
        ({"url": "http://a:secret@b"}, "mapping.registry.url: must have no user in it"),
        ({"username": "a"}, "mapping.registry: username and password must be given together, got a username alone"),
        ({"url": "http://b", "ca_file": "x"}, "mapping.registry: ca_file and certificate_file need a url of https"),
    ],
)
def test_wrong_registry_is_one_sentence(table: dict[str, str], sentence: str) -> None:
    """A registry that cannot be meant is refused before anything is asked."""
    with pytest.raises(SettingsError) as caught:
        Settings.of({"mapping": {"registry": table}})
    assert str(caught.value).removeprefix("settings: ").startswith(sentence)
    assert "secret" not in str(caught.value)


def test_format_needs_a_registry() -> None:
    """Where it is not given, no message could be read."""
    with pytest.raises(SettingsError, match=r"impressions\.format avro needs registry\.url"):
        Settings.of({"mapping": MAPPING})


def test_files_of_tls_are_checked_at_the_start(tmp_path: Path) -> None:
    """As those of Kafka are."""
    table = {"url": "https://127.0.0.1:1", "ca_file": str(tmp_path / "none.pem")}
    with pytest.raises(SettingsError, match=r"mapping\.registry\.ca_file: must be a file that can be read"):
        Registry(Settings.of({"mapping": {"registry": table}}).mapping.registry)
