"""Python's tarfile as the other reader and writer of the differential test.

list FILE                 every member as JSON, bytes as hex
write FORMAT FILE < JSON  the members as a tar
"""

import io
import json
import sys
import tarfile

KINDS = {
    "file": tarfile.REGTYPE,
    "hard-link": tarfile.LNKTYPE,
    "symlink": tarfile.SYMTYPE,
    "char-device": tarfile.CHRTYPE,
    "block-device": tarfile.BLKTYPE,
    "directory": tarfile.DIRTYPE,
    "fifo": tarfile.FIFOTYPE,
}
FORMATS = {
    "ustar": tarfile.USTAR_FORMAT,
    "gnu": tarfile.GNU_FORMAT,
    "pax": tarfile.PAX_FORMAT,
}
XATTR = "SCHILY.xattr."


def raw(text):
    return text.encode("utf-8", "surrogateescape").hex()


def kind(member):
    if member.isreg():
        return "file"
    return next(name for name, flag in KINDS.items() if flag == member.type)


def listed(tar, member):
    return {
        "kind": kind(member),
        "name": raw(member.name),
        "link": raw(member.linkname) if member.islnk() or member.issym() else "",
        "size": member.size if member.isreg() else 0,
        "mode": member.mode & 0o7777,
        "uid": member.uid,
        "gid": member.gid,
        "mtime": member.mtime,
        "device": [member.devmajor, member.devminor] if member.isdev() and not member.isfifo() else [0, 0],
        "content": tar.extractfile(member).read().hex() if member.isreg() else "",
        "xattrs": {
            key[len(XATTR):]: raw(value)
            for key, value in member.pax_headers.items()
            if key.startswith(XATTR)
        },
    }


def write(form, path):
    options = {"format": FORMATS[form], "encoding": "utf-8"}
    with tarfile.open(path, "w", **options) as tar:
        for row in json.load(sys.stdin):
            member = tarfile.TarInfo(row["name"])
            member.type = KINDS[row["kind"]]
            member.linkname = row["link"]
            for key in ("mode", "uid", "gid", "mtime"):
                setattr(member, key, row[key])
            member.devmajor, member.devminor = row["device"]
            content = bytes(row["content"])
            member.size = len(content)
            if form == "pax":
                member.pax_headers = {XATTR + key: value for key, value in row["xattrs"].items()}
            tar.addfile(member, io.BytesIO(content))


if sys.argv[1] == "write":
    write(sys.argv[2], sys.argv[3])
else:
    with tarfile.open(sys.argv[2], encoding="utf-8") as archive:
        json.dump([listed(archive, member) for member in archive], sys.stdout)
