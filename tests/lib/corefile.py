"""A core file as data: its headers and notes, and ways to damage them one at a time."""
import os
import shutil
import struct
import subprocess

PT_LOAD, PT_NOTE = 1, 4
PAGE = 4096
NOTES = {"PRSTATUS": 1, "PRPSINFO": 3, "AUXV": 6, "SIGINFO": 0x53494749, "FILE": 0x46494c45}
DROPPED = 0x7fffff00  # a type that nobody knows


class Header:
    """One program header, and where it lies in the file."""

    def __init__(self, at, row):
        self.at = at
        (self.type, self.flags, self.offset, self.address, _, self.file_size, self.memory_size,
         self.alignment) = row


class CoreFile:
    """The core at `path`, opened for reading and writing."""

    def __init__(self, path):
        self.path = str(path)
        with open(self.path, "rb") as file:
            head = file.read(64)
            self.table, = struct.unpack_from("<Q", head, 32)
            size, count = struct.unpack_from("<HH", head, 54)
            file.seek(self.table)
            table = file.read(size * count)
        self.headers = [Header(self.table + size * i, struct.unpack_from("<IIQQQQQQ", table, size * i))
                        for i in range(count)]
        self.size = os.path.getsize(self.path)

    @property
    def loads(self):
        return [row for row in self.headers if row.type == PT_LOAD and row.file_size]

    @property
    def notes_range(self):
        row = next(row for row in self.headers if row.type == PT_NOTE)
        return row.offset, row.offset + row.file_size

    def notes(self):
        """(offset of the note, type, name, offset of its bytes, size) of each note."""
        start, end = self.notes_range
        with open(self.path, "rb") as file:
            file.seek(start)
            data = file.read(end - start)
        at, found = 0, []
        while at + 12 <= len(data):
            name_size, size, kind = struct.unpack_from("<III", data, at)
            body = at + 12 + (name_size + 3 & ~3)
            found.append((start + at, kind, data[at + 12:at + 12 + name_size].rstrip(b"\0"),
                          start + body, size))
            at = body + (size + 3 & ~3)
        return found

    def write(self, offset, data):
        with open(self.path, "r+b") as file:
            file.seek(offset)
            file.write(data)

    def drop_notes(self, *names):
        """Makes all notes of these kinds unknown ones."""
        kinds = {NOTES[name] for name in names}
        for at, kind, _, _, _ in self.notes():
            if kind in kinds:
                self.write(at + 8, struct.pack("<I", DROPPED))

    def zero(self, start, end):
        """As a disk that lost what was written: a hole in place of the bytes."""
        with open(self.path, "r+b") as file:
            file.seek(start)
            file.write(bytes(min(end, self.size) - start))

    def offset_of(self, address):
        for row in self.loads:
            if row.address <= address < row.address + row.file_size:
                return row.offset + address - row.address
        return None

    def pages(self):
        """Offsets of the pages that are not holes."""
        found, at = [], 0
        with open(self.path, "rb") as core:
            while at < self.size:
                try:
                    start = os.lseek(core.fileno(), at, os.SEEK_DATA)
                except OSError:
                    break
                at = os.lseek(core.fileno(), start, os.SEEK_HOLE)
                found += range(start - start % PAGE, at, PAGE)
        return found


def copy(source, target):
    """A sparse copy, as `cp --sparse=always` makes it."""
    shutil.rmtree(target, ignore_errors=True)
    subprocess.run(["cp", "--sparse=always", str(source), str(target)], check=True)
    os.chmod(target, 0o644)
    return CoreFile(target)


def sort(source, target):
    """A copy with its segments by size, smallest first, as core_sort_vma=1 has the kernel do it."""
    core = CoreFile(source)
    others = [row for row in core.headers if row.type != PT_LOAD]
    loads = sorted((row for row in core.headers if row.type == PT_LOAD), key=lambda row: row.file_size)
    first = min(row.offset for row in core.loads)
    with open(source, "rb") as old, open(target, "wb") as new:
        new.write(old.read(first))
        new.truncate(core.size)
        at = first
        for place, row in zip((header.at for header in core.headers), others + loads):
            old.seek(row.at)
            header = bytearray(old.read(56))
            if row.type == PT_LOAD:
                struct.pack_into("<Q", header, 8, at)
                for page in range(0, row.file_size, PAGE):
                    old.seek(row.offset + page)
                    data = old.read(min(PAGE, row.file_size - page))
                    if data.strip(b"\0"):
                        new.seek(at + page)
                        new.write(data)
                at += row.file_size
            new.seek(place)
            new.write(header)
    os.chmod(target, 0o644)
    return CoreFile(target)
