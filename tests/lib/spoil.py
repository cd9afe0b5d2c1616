"""Copies of executables that have lost something: their DWARF's bytes, the release they were built with."""
import struct

BUILDINFO = b"\xff Go buildinf:"  # debug/buildinfo: then pointer size, flags; at 32 the version, its size first
SHT_NOBITS = 8


def sections(data):
    """(name, file offset, size) of every section that has bytes in an ELF64 file."""
    table, = struct.unpack_from("<Q", data, 40)
    row_size, count, names_index = struct.unpack_from("<HHH", data, 58)
    rows = [struct.unpack_from("<IIQQQQ", data, table + i * row_size) for i in range(count)]
    names = rows[names_index][4]
    for name, kind, _, _, offset, size in rows:
        end = data.index(b"\0", names + name)
        if kind != SHT_NOBITS:
            yield data[names + name:end].decode(), offset, size


def overwrite_dwarf(exe, target, byte):
    """A copy whose sections .debug_* and .zdebug_* hold only `byte`; how many bytes that are."""
    data, spoiled = bytearray(exe.read_bytes()), 0
    for name, offset, size in list(sections(data)):
        if name.startswith((".debug_", ".zdebug_")):
            data[offset:offset + size] = bytes([byte]) * size
            spoiled += size
    target.write_bytes(data)
    return spoiled


def claim_release(exe, target, version):
    """A copy that says it was built with `version`; False where there is no room for that."""
    data = exe.read_bytes()
    at = data.index(BUILDINFO) + 32
    size = data[at]
    if not data[at + 1:at + 4] == b"go1" or len(version) > size:
        return False
    target.write_bytes(data[:at + 1] + version.encode().ljust(size, b"x") + data[at + 1 + size:])
    return True
