//! The maps that Composer writes below `vendor/composer`: `autoload_psr4.php`,
//! `autoload_classmap.php`, `autoload_files.php`, `autoload_namespaces.php`.

use std::collections::BTreeSet;

use crate::limits::CONFIGURATION_ROWS_MAX;

/// Packages that a map loads from, `vendor/name`.
pub fn packages(text: &[u8]) -> BTreeSet<Vec<u8>> {
    let mut found = BTreeSet::new();
    for anchor in [&b"$vendorDir . '/"[..], b"__DIR__ . '/..' . '/"] {
        for at in memchr::memmem::find_iter(text, anchor) {
            let rest = &text[at + anchor.len()..];
            let path = &rest[..memchr::memchr(b'\'', rest).unwrap_or(0)];
            let mut names = path.split(|b| *b == b'/').filter(|name| !name.is_empty());
            if let (Some(vendor), Some(name)) = (names.next(), names.next())
                && found.len() < CONFIGURATION_ROWS_MAX
            {
                found.insert([vendor, b"/", name].concat());
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_read() {
        let text = b"return array(\n 'A\\\\' => array($vendorDir . '/a/b/src'),\n\
                     'c' => $vendorDir . '/c/d/x.php', 'e' => $baseDir . '/src', $vendorDir . '/f";
        assert_eq!(packages(text), BTreeSet::from([b"a/b".to_vec(), b"c/d".to_vec()]));
    }
}
