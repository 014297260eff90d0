//! `/proc/self/mountinfo`: what is mounted where, `proc_pid_mountinfo(5)`.

use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

/// A mounted overlay, by its device number: `0:53`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Overlay {
    /// Major and minor number of the file system's device.
    pub(crate) device: String,
}

/// The overlay that is mounted at `point`. Of several on top of each other, the uppermost counts.
pub(crate) fn overlay_at(mountinfo: &[u8], point: &Path) -> Option<Overlay> {
    let lines = mountinfo.split(|b| *b == b'\n').rev();
    lines.filter_map(mount).find(|mount| mount.point == point.as_os_str().as_bytes()).and_then(
        |mount| {
            let is_overlay = mount.kind == b"overlay" || mount.kind == b"fuse.fuse-overlayfs";
            let device = String::from_utf8_lossy(mount.device).into_owned();
            is_overlay.then_some(Overlay { device })
        },
    )
}

struct Mount<'a> {
    device: &'a [u8],
    point: Vec<u8>,
    kind: &'a [u8],
}

/// `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw`: any number of optional fields
/// stands before the dash.
fn mount(line: &[u8]) -> Option<Mount<'_>> {
    let mut fields = line.split(|b| *b == b' ');
    let device = fields.nth(2)?;
    let point = unescape(fields.nth(1)?);
    let kind = fields.skip_while(|field| *field != b"-").nth(1)?;
    Some(Mount { device, point, kind })
}

/// Spaces, tabs, line ends and backslashes stand as `\` and three octal digits.
fn unescape(field: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((&first, after)) = rest.split_first() {
        let octal = (first == b'\\')
            .then(|| after.get(..3))
            .flatten()
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        if let Some(byte) = octal {
            plain.push(byte);
            rest = &after[3..];
        } else {
            plain.push(first);
            rest = after;
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &[u8] = b"22 1 0:5 / / rw - ext4 /dev/root rw\n\
        90 22 0:53 / /var/lib/a\\040b/merged rw,relatime shared:7 master:2 - overlay overlay rw\n\
        91 22 0:54 / /data rw - tmpfs none rw\n\
        92 22 0:55 / /data rw - overlay overlay rw\n\
        broken\n";

    #[test]
    fn overlays_are_found_by_where_they_are_mounted() {
        let at = |point: &str| overlay_at(MOUNTS, Path::new(point)).map(|found| found.device);
        assert_eq!(at("/var/lib/a b/merged").as_deref(), Some("0:53"));
        assert_eq!(at("/data").as_deref(), Some("0:55"));
        assert_eq!(at("/"), None);
        assert_eq!(at("/nowhere"), None);
    }

    #[test]
    fn what_is_mounted_over_an_overlay_hides_it() {
        let mounts = b"1 0 0:1 / /m rw - overlay o rw\n2 0 0:2 / /m rw - tmpfs t rw\n";
        assert_eq!(overlay_at(mounts, Path::new("/m")), None);
    }

    #[test]
    fn odd_escapes_stay_as_they_are() {
        assert_eq!(unescape(br"a\040b\134c\9\04"), br"a b\c\9\04");
    }
}
