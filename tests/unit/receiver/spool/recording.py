"""Recording what SQLite does to its files: its own default VFS, with the writing calls noted.

SQLite asks its VFS for everything that touches a disk (https://www.sqlite.org/vfs.html). A copy of
the default one is registered as the default; each file it opens gets a copy of its methods in which
xWrite, xTruncate and xSync also take note. So the real SQLite runs on the real disk, and nothing
of it can reach the disk unseen but the shared memory, which SQLite makes anew after a crash.

What takes note can refuse as well: so a disk fails as SQLite would be told by the real one.
"""

import _sqlite3
import ctypes
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ctypes import POINTER, Structure, addressof, c_char_p, c_int, c_int64, c_void_p, cast
from itertools import count
from pathlib import Path

from tests.unit.receiver.spool.disk import (
    Created,
    FolderSynced,
    Operation,
    Synced,
    Truncated,
    Unlinked,
    Wrote,
)

_OK = 0
_OPEN = ctypes.CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_int, c_void_p)
_DELETE = ctypes.CFUNCTYPE(c_int, c_void_p, c_char_p, c_int)
_SET_CALL = ctypes.CFUNCTYPE(c_int, c_void_p, c_char_p, c_void_p)
_GET_CALL = ctypes.CFUNCTYPE(c_void_p, c_void_p, c_char_p)
_OPEN_FOLDER = ctypes.CFUNCTYPE(c_int, c_char_p, c_void_p)
_WRITE = ctypes.CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)
_TRUNCATE = ctypes.CFUNCTYPE(c_int, c_void_p, c_int64)
_SYNC = ctypes.CFUNCTYPE(c_int, c_void_p, c_int)


class _Vfs(Structure):
    _fields_ = (
        *(("version", c_int), ("file_size", c_int), ("longest_path", c_int)),
        *(("next", c_void_p), ("name", c_char_p), ("data", c_void_p)),
        *(("open", _OPEN), ("delete", _DELETE)),
        *((name, c_void_p) for name in ("access", "full_path", "dl_open", "dl_error", "dl_sym")),
        *((name, c_void_p) for name in ("dl_close", "randomness", "sleep", "time", "error")),
        *(("time64", c_void_p), ("set_call", _SET_CALL), ("get_call", _GET_CALL)),
        ("next_call", c_void_p),
    )


class _Methods(Structure):
    _fields_ = (
        *(("version", c_int), ("close", c_void_p), ("read", c_void_p)),
        *(("write", _WRITE), ("truncate", _TRUNCATE), ("sync", _SYNC)),
        *((name, c_void_p) for name in ("size", "lock", "unlock", "reserved", "control", "sector")),
        *((name, c_void_p) for name in ("traits", "shm_map", "shm_lock", "shm_barrier")),
        *((name, c_void_p) for name in ("shm_unmap", "fetch", "unfetch")),
    )


class _File(Structure):
    _fields_ = (("methods", POINTER(_Methods)),)


def _take_all(_: Operation) -> int:
    return _OK


class Recorder:
    """Notes what SQLite does to files below ``root``, operation by operation.

    A write, truncation or sync is not done where ``refuse`` returns one of SQLite's error codes.
    """

    def __init__(
        self,
        root: Path,
        note: Callable[[Operation], None],
        refuse: Callable[[Operation], int] = _take_all,
    ) -> None:
        self._root = root
        self._note = note
        self._refuse = refuse
        self._numbers: dict[Path, int] = {}
        self._new_numbers = count()
        self._open: dict[int, int] = {}
        # What SQLite has only the address of.
        self._kept: list[object] = []
        # The one that the interpreter itself uses: another copy would have its own VFS list.
        library = ctypes.CDLL(getattr(_sqlite3, "__file__", None))
        library.sqlite3_vfs_find.restype = POINTER(_Vfs)
        self._library = library
        self._original = library.sqlite3_vfs_find(None).contents
        self._vfs = _Vfs.from_buffer_copy(self._original)
        self._vfs.name = b"recorder"
        self._vfs.open = _OPEN(self._on_open)
        self._vfs.delete = _DELETE(self._on_delete)

    def note_found(self, path: Path) -> None:
        """Note a file that is there before the recording, as made and synced."""
        number = self._note_new(path)
        self._note(Wrote(number, 0, path.read_bytes()))
        self._note(Synced(number))
        self._note(FolderSynced(path.parent))

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Have all databases that are opened meanwhile recorded."""
        self._check_library()
        address = self._original.get_call(addressof(self._original), b"openDirectory")
        open_folder = _OPEN_FOLDER(address)

        def on_open_folder(name: bytes, descriptor: int) -> int:
            # SQLite opens a folder for nothing but to sync it.
            self._note(FolderSynced(Path(os.fsdecode(name)).parent))
            return int(open_folder(name, descriptor))

        replaced = _OPEN_FOLDER(on_open_folder)
        self._set_call(cast(replaced, c_void_p).value)
        self._library.sqlite3_vfs_register(ctypes.byref(self._vfs), 1)
        try:
            yield
        finally:
            self._library.sqlite3_vfs_unregister(ctypes.byref(self._vfs))
            self._set_call(None)

    def _set_call(self, address: int | None) -> None:
        original = self._original
        assert original.set_call(addressof(original), b"openDirectory", address) == _OK

    def _check_library(self) -> None:
        self._library.sqlite3_sourceid.restype = c_char_p
        with sqlite3.connect(":memory:") as database:
            [(source,)] = database.execute("SELECT sqlite_source_id()").fetchall()
        database.close()
        assert source.encode() == self._library.sqlite3_sourceid()

    def _on_open(self, vfs: int, name: int | None, file: int, flags: int, out: int | None) -> int:
        path = None if name is None else Path(os.fsdecode(ctypes.string_at(name)))
        is_new = path is not None and not path.exists()
        code = int(self._original.open(vfs, name, file, flags, out))
        if code == _OK and path is not None and path.is_relative_to(self._root):
            if is_new or path not in self._numbers:
                self._note_new(path)
            self._open[file] = self._numbers[path]
            self._replace_methods(file)
        return code

    def _note_new(self, path: Path) -> int:
        number = self._numbers[path] = next(self._new_numbers)
        self._note(Created(path, number))
        return number

    def _on_delete(self, vfs: int, name: bytes, sync_folder: int) -> int:
        self._note(Unlinked(Path(os.fsdecode(name))))
        return int(self._original.delete(vfs, name, sync_folder))

    def _replace_methods(self, file: int) -> None:
        opened = _File.from_address(file)
        original = opened.methods.contents
        methods = _Methods.from_buffer_copy(original)

        def on_write(handle: int, data: int, size: int, offset: int) -> int:
            wrote = Wrote(self._open[handle], offset, ctypes.string_at(data, size))
            if code := self._refuse(wrote):
                return code
            self._note(wrote)
            return int(original.write(handle, data, size, offset))

        def on_truncate(handle: int, size: int) -> int:
            truncated = Truncated(self._open[handle], size)
            if code := self._refuse(truncated):
                return code
            self._note(truncated)
            return int(original.truncate(handle, size))

        def on_sync(handle: int, flags: int) -> int:
            synced = Synced(self._open[handle])
            code = self._refuse(synced) or int(original.sync(handle, flags))
            if code == _OK:
                self._note(synced)
            return code

        methods.write, methods.truncate = _WRITE(on_write), _TRUNCATE(on_truncate)
        methods.sync = _SYNC(on_sync)
        opened.methods = ctypes.pointer(methods)
        self._kept.append(methods)
