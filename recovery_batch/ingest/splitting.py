"""One big JSON document to the texts of its elements, block by block, without holding or decoding it.

A document is an array of elements, or an object (a request) whose `external_data` is one. Of each block only the
brackets and commas outside strings are looked at; an element ends where the depth is back at that of its array. That
takes a few passes of numpy over the bytes, and no more memory than some blocks and the longest element.

What is checked here is what lies around the elements. So the document is JSON if and only if no `DocumentBroken` is
raised and each element's text is JSON, which is for the caller to find out (with the UTF-8 of it all). Only members
left out for their size escape that.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

BLOCK_BYTES: Final = 1 << 19
"""Bytes looked at together: few enough to stay in a processor's cache with all that is computed from them."""

RUN_BYTES: Final = 16 << 20
RUN_TEXTS: Final = 65_536

MEMBER_BYTES: Final = 1 << 20
MEMBERS_BYTES: Final = 16 << 20
MEMBERS: Final = 10_000
"""No more members than this are read, so that an object that is a map of millions does not fill the memory."""

T = TypeVar("T")

_ELEMENTS_KEY: Final = "external_data"
_BLANKS: Final = b" \t\r\n"
_KEY: Final = re.compile(rb'[ \t\r\n]*+("[^"\\]*+(?:\\.[^"\\]*+)*+")[ \t\r\n]*+:[ \t\r\n]*+', re.DOTALL)

_QUOTE, _COMMA, _ARRAY, _ARRAY_END, _OBJECT, _OBJECT_END = b'",[]{}'
_CASE: Final = 0x20  # what [ and ] lack to be { and }, and nothing else does
_OPEN, _CLOSE = _OBJECT, _OBJECT_END

_COMMA_MISSING: Final = "a comma is missing, or something stands beside a value"
_VALUE_MISSING: Final = "a comma too many, or a value too few"
_KEY_MISSING: Final = "a key or a colon is missing, or the key is too long"


class DocumentBroken(Exception):
    """The text is not one JSON array or object, as far as can be told from what lies around its elements.

    Attributes:
        message: What is wrong; quotes nothing of the document.
        offset: Where, in bytes from 0; for a value that is wrong in itself, where it begins or ends.
        cut_off: Whether it is that the text ends too early; `offset` is then its length.
    """

    def __init__(self, message: str, offset: int, *, cut_off: bool = False) -> None:
        super().__init__(message, offset, cut_off)
        self.message = message
        self.offset = offset
        self.cut_off = cut_off

    def __str__(self) -> str:
        return f"{self.message} (byte {self.offset})"


@dataclass(frozen=True, slots=True)
class Split:
    """A run of elements, in their order.

    Attributes:
        texts: The bytes of each as they stand in the document, without blanks around them, never empty. Nobody has
            looked yet at whether they are JSON. At most RUN_TEXTS of them; of about RUN_BYTES.
        first_number: Number of the first of them in the document, from 1.
    """

    texts: list[bytes]
    first_number: int


@dataclass(frozen=True, slots=True)
class Members:
    """Members of the document's object, those before or those after its elements.

    Attributes:
        values: JSON text of each by its decoded key, checked to be JSON (save for its UTF-8); of a repeated key the
            first. `external_data` is among them only if it is not an array.
        omitted: Keys whose values are longer than MEMBER_BYTES, or came after MEMBERS_BYTES of others. Nobody has
            looked at whether those are JSON.
    """

    values: dict[str, bytes] = field(default_factory=dict)
    omitted: set[str] = field(default_factory=set)


def split_document(
    read: Callable[[int], bytes], head: bytes = b"", *, block: int = BLOCK_BYTES, run: int = RUN_BYTES
) -> Iterator[Split | Members]:
    """The elements of a document, and the members around them, in its order.

    An array, of the document or of its `external_data`, gives at least one `Split`, an empty array one without texts.
    An object without such an array gives exactly one `Members` and no `Split`; with one it gives `Members` before the
    splits, after them, or both, wherever it has any.

    Args:
        read: Gives up to that many bytes of the text, UTF-8 without a byte order mark; none at its end.
        head: What has been read of it already.
        block: Bytes looked at together.
        run: Bytes of elements after which a `Split` is given out.

    Raises:
        DocumentBroken: The text ends too early, goes on after its end, or is neither array nor object; commas or
            brackets around the elements are amiss; a key or a member's value is not JSON; there are more than MEMBERS
            members, or MEMBERS_BYTES of keys. Elements before the fault may have been given out by then.
    """
    document = _Document(run)
    for part in _blocks(read, head, block):
        yield from document.feed(part)
    document.end()


def _blocks(read: Callable[[int], bytes], head: bytes, size: int) -> Iterator[bytes]:
    """The text in blocks of one size, whatever `read` gives at a time."""
    whole = len(head) - len(head) % size
    for start in range(0, whole, size):
        yield head[start : start + size]
    parts, missing = [head[whole:]], size - (len(head) - whole)
    while part := read(missing):
        parts.append(part)
        missing -= len(part)
        if missing <= 0:
            yield b"".join(parts)
            parts, missing = [], size
    if rest := b"".join(parts):
        yield rest


_Places = npt.NDArray[np.int64]


class _Marks(NamedTuple):
    """The brackets and commas of a block that stand outside strings."""

    places: _Places  # in the block
    codes: npt.NDArray[np.uint8]
    levels: _Places  # how many brackets are open around each; around its pair, for a bracket


def _within(quotes: int) -> int:
    """Which of eight bytes are in a string, the quote before them with them, given which are quotes; as bits."""
    for shift in (1, 2, 4):
        quotes ^= quotes << shift & 0xFF
    return quotes


_WITHIN: Final = bytes(map(_within, range(256)))
_BEYOND: Final = bytes(0xFF * (each >> 7) for each in _WITHIN)  # whether what follows them is, eight times


class _Scanner:
    """Finds the marks of one block after the other."""

    def __init__(self) -> None:
        self.in_string = False  # at the end of what was scanned
        self._escaped = False
        self._depth = 0

    def scan(self, block: bytes) -> _Marks:
        """The marks of the next block, which must not be empty."""
        text = np.frombuffer(self._without_escapes(block), np.uint8)
        folded = text | _CASE
        marks = (folded == _OPEN) | (folded == _CLOSE) | (text == _COMMA)
        places = np.flatnonzero(np.greater(marks, self._strings(text == _QUOTE)))
        codes = text[places]
        folded = codes | _CASE
        opens = folded == _OPEN
        depths = np.cumsum(opens.view(np.int8) - (folded == _CLOSE), dtype=np.int64)
        depths += self._depth
        if depths.size:
            self._depth = int(depths[-1])
        return _Marks(places, codes, depths - opens)

    def _without_escapes(self, block: bytes) -> bytes:
        """The block with other characters for the escaped quotes and backslashes."""
        if self._escaped:
            block = b"_" + block[1:]
            self._escaped = False
        if b"\\" in block:
            block = block.replace(b"\\\\", b"__")
            self._escaped = block.endswith(b"\\")
            block = block.replace(b'\\"', b"__")
        return block

    def _strings(self, quotes: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Which bytes are in strings, by the number of quotes before: counted in bits, since blocks are mostly text."""
        packed = np.packbits(quotes, bitorder="little").tobytes()
        within = np.frombuffer(packed.translate(_WITHIN), np.uint8)
        beyond = np.bitwise_xor.accumulate(np.frombuffer(packed.translate(_BEYOND), np.uint8))
        before = np.empty_like(beyond)
        before[0] = 0xFF * self.in_string
        np.bitwise_xor(beyond[:-1], before[0], out=before[1:])
        self.in_string ^= bool(beyond[-1])
        return np.unpackbits(within ^ before, count=quotes.size, bitorder="little").view(np.bool_)


class _Piece:
    """What stands between two commas, as it is read: blanks, a value (or the key of a member and its value), blanks.

    Once its value has closed its brackets, `text` is that value from bracket to bracket, and nothing but blanks may
    follow. Until then it is all there is, from the first byte that is not blank.
    """

    def __init__(self, limit: int | None) -> None:
        self.is_open = False
        self.is_closed = False
        self.is_cut = False  # whether it is longer than the limit, and parts are missing
        self._limit = limit
        self._size = 0
        self._parts: list[bytes] = []

    def add(self, part: bytes, *, ends_outside: bool) -> None:
        """Read on.

        Args:
            part: What comes next.
            ends_outside: Whether its end is outside the value's brackets and strings. Of blanks there one is kept, so
                that no number of them takes memory.
        """
        if not self._parts:
            part = part.lstrip(_BLANKS)
        if ends_outside and part and part[-1] in _BLANKS:
            part = part.rstrip(_BLANKS)
            part += b"" if not part and self._parts[-1].endswith(b" ") else b" "
        if self._limit is not None and self._size + len(part) > self._limit:
            part = part[: self._limit - self._size]
            self.is_cut = True
        if part:
            self._parts.append(part)
            self._size += len(part)

    def text(self) -> bytes:
        """What has been read and kept."""
        return b"".join(self._parts)

    def clear(self) -> None:
        """Forget what has been read, as at the bracket that opens the value."""
        self._parts, self._size, self.is_cut = [], 0, False


@dataclass(slots=True)
class _Cursor:
    """How far a block has been dealt with: the first byte, and the first mark, that have not."""

    block: bytes
    marks: _Marks
    byte: int = 0
    mark: int = 0


class _Elements:
    """Elements on their way out, in runs."""

    def __init__(self, run: int) -> None:
        self._run = run
        self._texts: list[bytes] = []
        self._size = 0
        self._given = 0

    def __len__(self) -> int:
        return self._given + len(self._texts)

    def add(self, texts: list[bytes], size: int) -> None:
        """Take elements of that many bytes together."""
        self._texts += texts
        self._size += size

    def splits(self, *, at_end: bool = False) -> Iterator[Split]:
        """What has come, once it is enough for a run; at the end the rest, so that there is at least one split."""
        if at_end or self._size >= self._run or len(self._texts) >= RUN_TEXTS:
            for start in range(0, len(self._texts) or int(not self._given), RUN_TEXTS):
                yield Split(self._texts[start : start + RUN_TEXTS], self._given + start + 1)
            self._given += len(self._texts)
            self._texts, self._size = [], 0


class _Around:
    """The members of the document's object, other than its elements."""

    def __init__(self) -> None:
        self.keys: set[str] = set()
        self.count = 0
        self._keys_size = 0
        self._size = 0
        self._members = Members()

    def add(self, key: str, value: bytes, offset: int, *, is_cut: bool) -> None:
        """Take a member, which ends there."""
        self.count += 1
        self._keys_size += len(key)
        if self.count > MEMBERS or self._keys_size > MEMBERS_BYTES:
            raise DocumentBroken(f"an object of more than {MEMBERS:,} members, or with endless keys", offset)
        if not is_cut:
            _decoded(value, msgspec.Raw, "the value of a member", offset)
        if key in self.keys:
            return
        self.keys.add(key)
        if is_cut or self._size + len(value) > MEMBERS_BYTES:
            self._members.omitted.add(key)
        else:
            self._members.values[key] = value
            self._size += len(value)

    def members(self, *, always: bool = False) -> Iterator[Members]:
        """Those since the last time, if there are any."""
        members, self._members = self._members, Members()
        if always or members.values or members.omitted:
            yield members


def _decoded(text: bytes, kind: type[T], name: str, offset: int) -> T:
    """A key or a member's value; bytes in it that are no UTF-8 are not looked at."""
    try:
        return msgspec.json.decode(text.decode("utf-8", "replace"), type=kind)
    except msgspec.DecodeError as error:
        raise DocumentBroken(f"{name} is not JSON", offset) from error
    except RecursionError as error:
        raise DocumentBroken(f"{name} is nested too deep", offset) from error


class _Document:
    """A document as it is read: what is due now, and what is ready to be given out."""

    def __init__(self, run: int) -> None:
        self._scanner = _Scanner()
        self._offset = 0  # of the block
        self._due = self._beginning
        self._level = 1  # how many brackets are open around what is due
        self._is_object = False
        self._has_array = False  # as its external_data
        self._piece = _Piece(None)
        self._key: str | None = None  # of the member, once its value has opened a bracket
        self._elements = _Elements(run)
        self._around = _Around()
        self._ready: list[Split | Members] = []

    def feed(self, block: bytes) -> Iterator[Split | Members]:
        """Deal with the next block, which must not be empty."""
        cursor = _Cursor(block, self._scanner.scan(block))
        while cursor.byte < len(block):
            self._due(cursor)
        self._offset += len(block)
        self._ready += self._elements.splits()
        while self._ready:
            yield self._ready.pop(0)

    def end(self) -> None:
        """There are no more blocks."""
        if self._due != self._after:
            raise DocumentBroken("the text ends too early", self._offset, cut_off=True)

    def _beginning(self, cursor: _Cursor) -> None:
        first = cursor.block.lstrip(_BLANKS)[:1]
        cursor.byte = cursor.block.index(first) + 1 if first else len(cursor.block)
        if not first:
            return
        if first not in b"[{":
            raise DocumentBroken("neither an array nor an object", self._offset + cursor.byte - 1)
        self._is_object = first == b"{"
        self._due = self._in_members if self._is_object else self._in_elements
        self._next_piece()
        cursor.mark = 1

    def _after(self, cursor: _Cursor) -> None:
        self._check_blank(cursor, len(cursor.block), "the text goes on after the end of its JSON")

    def _in_members(self, cursor: _Cursor) -> None:
        for mark in self._own(cursor).tolist():
            self._step(cursor, mark)
            if self._due != self._in_members:
                return
        self._keep(cursor)

    def _in_elements(self, cursor: _Cursor) -> None:
        own = self._own(cursor)
        levels, codes = cursor.marks.levels[own], cursor.marks.codes[own]
        # all commas but the first are dealt with together; the first and what follows the last, mark by mark
        commas = np.flatnonzero((codes == _COMMA) & (levels == self._level))
        if commas.size > 1:
            for mark in own[: commas[0] + 1].tolist():
                self._step(cursor, mark)
            self._take_between(cursor, own, commas)
            own = own[commas[-1] + 1 :]
        for mark in own.tolist():
            self._step(cursor, mark)
        if self._due == self._in_elements:
            self._keep(cursor)

    def _own(self, cursor: _Cursor) -> _Places:
        """The marks that stand between the values of what is due or begin or end one, up to the end of it all."""
        levels = cursor.marks.levels[cursor.mark :]
        own = np.flatnonzero(levels <= self._level)
        ends = np.flatnonzero(levels[own] < self._level)
        return (own[: ends[0] + 1] if ends.size else own) + cursor.mark

    def _take_between(self, cursor: _Cursor, own: _Places, commas: _Places) -> None:
        """Take the elements between the first of these commas and the last."""
        block, places = cursor.block, cursor.marks.places[own]
        brackets = np.diff(commas) - 1
        is_nested = brackets == 2
        opening = commas[:-1][is_nested] + 1
        sizes = np.zeros(brackets.size, np.int64)
        sizes[is_nested] = places[opening + 1] - places[opening] + 1
        starts, stops = places[commas[:-1]] + 1, places[commas[1:]]
        texts = [block[a:b].strip(_BLANKS) for a, b in zip(starts.tolist(), stops.tolist(), strict=True)]
        lengths = np.fromiter(map(len, texts), np.int64, len(texts))
        # what stands beside brackets makes a text longer than from bracket to bracket
        wrong = np.flatnonzero((lengths == 0) | (brackets > 2) | (is_nested & (lengths != sizes)))
        if wrong.size:  # then mark by mark, up to the one that raises
            cursor.byte = int(starts[wrong[0]])
            for mark in own[commas[wrong[0]] + 1 : commas[wrong[0] + 1] + 1].tolist():
                self._step(cursor, mark)
        self._elements.add(texts, int(lengths.sum()))
        cursor.byte, cursor.mark = int(stops[-1]) + 1, int(own[commas[-1]]) + 1

    def _step(self, cursor: _Cursor, mark: int) -> None:
        """Deal with one mark, and what stands before it."""
        place, code, level = (int(each[mark]) for each in cursor.marks)
        cursor.mark = mark + 1
        if code == _COMMA or level < self._level:
            self._read_to(cursor, place)
            cursor.byte = place + 1
            self._separate(self._offset + place, code)
        elif code | _CASE == _CLOSE:
            self._read_to(cursor, place + 1, is_outside=False)
            self._piece.is_open, self._piece.is_closed = False, True
        else:
            self._read_to(cursor, place)
            self._open(cursor, code)

    def _keep(self, cursor: _Cursor) -> None:
        """Keep what stands after the last mark of a block."""
        is_outside = not (self._piece.is_open or self._scanner.in_string)
        self._read_to(cursor, len(cursor.block), is_outside=is_outside)

    def _read_to(self, cursor: _Cursor, stop: int, *, is_outside: bool = True) -> None:
        if self._piece.is_closed:
            self._check_blank(cursor, stop, _COMMA_MISSING)
        else:
            self._piece.add(cursor.block[cursor.byte : stop], ends_outside=is_outside)
        cursor.byte = stop

    def _check_blank(self, cursor: _Cursor, stop: int, message: str) -> None:
        if rest := cursor.block[cursor.byte : stop].lstrip(_BLANKS):
            raise DocumentBroken(message, self._offset + stop - len(rest))
        cursor.byte = stop

    def _open(self, cursor: _Cursor, code: int) -> None:
        """A value opens a bracket: it must be the first thing of an element, or follow the key of a member."""
        before, offset = self._piece.text(), self._offset + cursor.byte
        if self._piece.is_closed:
            raise DocumentBroken(_COMMA_MISSING, offset)
        if self._due == self._in_members:
            match = _KEY.fullmatch(before)
            if match is None:
                raise DocumentBroken(_KEY_MISSING, offset)
            self._key = _decoded(match[1], str, "a key", offset)
            if code == _ARRAY and self._key == _ELEMENTS_KEY not in self._around.keys:
                self._enter_elements(cursor)
                return
        elif before:
            raise DocumentBroken(_COMMA_MISSING, offset)
        self._piece.clear()
        self._piece.is_open = True

    def _separate(self, offset: int, code: int) -> None:
        """A comma, or the bracket that ends all, ends what is read."""
        is_end, is_member = code != _COMMA, self._due == self._in_members
        if is_end and code != (_OBJECT_END if is_member else _ARRAY_END):
            raise DocumentBroken("a bracket of the wrong kind", offset)
        text = self._piece.text().rstrip(_BLANKS)
        if not text and (not is_end or (self._around.count if is_member else len(self._elements))):
            raise DocumentBroken(_VALUE_MISSING, offset)
        if text and is_member:
            self._take_member(text, offset)
        elif text:
            self._elements.add([text], len(text))
        self._next_piece()
        if is_end:
            self._leave(is_member)

    def _take_member(self, text: bytes, offset: int) -> None:
        key = self._key
        if key is None:
            match = _KEY.match(text)
            if match is None:
                raise DocumentBroken(_KEY_MISSING, offset)
            key, text = _decoded(match[1], str, "a key", offset), text[match.end() :]
        self._around.add(key, text, offset, is_cut=self._piece.is_cut)

    def _next_piece(self) -> None:
        self._piece = _Piece(MEMBER_BYTES if self._due == self._in_members else None)
        self._key = None

    def _enter_elements(self, cursor: _Cursor) -> None:
        self._ready += self._around.members()
        self._around.keys.add(_ELEMENTS_KEY)
        self._due, self._level, self._has_array = self._in_elements, 2, True
        self._next_piece()
        cursor.byte += 1

    def _leave(self, is_member: bool) -> None:
        """What is due has ended: the elements, or the document's object."""
        if is_member:
            self._ready += self._around.members(always=not self._has_array)
        else:
            self._ready += self._elements.splits(at_end=True)
        if is_member or not self._is_object:
            self._due = self._after
            return
        self._due, self._level = self._in_members, 1
        self._next_piece()
        # the member is read on as one whose key has come before, so that it is not kept
        self._key = _ELEMENTS_KEY
        self._piece.add(b"[]", ends_outside=False)
        self._piece.is_closed = True
