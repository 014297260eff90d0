//! `php.ini` and the files of `conf.d`.

use crate::facts::configuration::ini::rows;

/// What it loads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PhpIni {
    /// `extension=` and `zend_extension=`: names or paths.
    pub extensions: Vec<Vec<u8>>,
    /// `extension_dir=`.
    pub directories: Vec<Vec<u8>>,
    /// Other values that are paths: `auto_prepend_file`, `opcache.preload`.
    pub paths: Vec<Vec<u8>>,
    /// `include_path=`, `chdir=` and `doc_root` of pools: directories of code.
    pub roots: Vec<Vec<u8>>,
}

/// Reads it, or a pool of php-fpm.
pub fn read(text: &[u8]) -> PhpIni {
    let mut found = PhpIni::default();
    for row in rows(text) {
        // `php_admin_value[extension] = x`, of a pool.
        let key = match memchr::memchr(b'[', &row.key) {
            Some(at) if row.key.starts_with(b"php_") => {
                row.key[at + 1..].strip_suffix(b"]").unwrap_or_default()
            }
            _ => &row.key[..],
        };
        match key {
            _ if row.value.is_empty() => {}
            b"extension" | b"zend_extension" => found.extensions.push(row.value),
            b"extension_dir" => found.directories.push(row.value),
            b"include_path" => {
                let roots = row.value.split(|b| *b == b':').filter(|path| path.starts_with(b"/"));
                found.roots.extend(roots.map(<[u8]>::to_vec));
            }
            b"chdir" | b"doc_root" => found.roots.push(row.value),
            _ if row.value.starts_with(b"/") => found.paths.push(row.value),
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_and_directories_are_read() {
        let found = read(
            b"; extension=no\n[PHP]\nextension=intl\nzend_extension=opcache.so ; why\n\
              extension_dir = \"/opt/ext\"\ninclude_path=\".:/usr/share/php\"\nopcache.preload=/p.php\n\
              php_admin_value[doc_root] = /var/www\n",
        );
        let text = |rows: &[Vec<u8>]| String::from_utf8(rows.join(&b' ')).unwrap();
        assert_eq!(text(&found.extensions), "intl opcache.so");
        assert_eq!(text(&found.directories), "/opt/ext");
        assert_eq!(text(&found.roots), "/usr/share/php /var/www");
        assert_eq!(text(&found.paths), "/p.php");
    }
}
