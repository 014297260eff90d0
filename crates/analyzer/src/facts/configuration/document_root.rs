//! Where web servers take files from: Apache's `DocumentRoot`, nginx's `root` and `alias`.

use crate::facts::configuration::lines;

/// Directories that a server's configuration names.
pub fn read(text: &[u8]) -> Vec<Vec<u8>> {
    let mut roots = Vec::new();
    for line in lines(text) {
        let mut words =
            line.split(|b| b.is_ascii_whitespace() || *b == b';').filter(|w| !w.is_empty());
        let is_root = |word: &[u8]| {
            matches!(word, b"root" | b"alias")
                || word.eq_ignore_ascii_case(b"DocumentRoot")
                || word.eq_ignore_ascii_case(b"VirtualDocumentRoot")
        };
        while let Some(word) = words.next() {
            if word.starts_with(b"#") {
                break;
            }
            if is_root(word)
                && let Some(path) = words.next()
            {
                let path = path.strip_prefix(b"\"").unwrap_or(path);
                let path = path.strip_suffix(b"\"").unwrap_or(path);
                if path.starts_with(b"/") || path.starts_with(b"$") {
                    roots.push(path.to_vec());
                }
            }
        }
    }
    roots
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_are_read() {
        let text = b"server { root /var/www/html; # root /no;\n location /x { alias /srv/x; } }\n\
                     DocumentRoot \"/var/www\"\n documentroot ${APACHE_DOCUMENT_ROOT}\nroot relative;\n";
        let found = String::from_utf8(read(text).join(&b' ')).unwrap();
        assert_eq!(found, "/var/www/html /srv/x /var/www ${APACHE_DOCUMENT_ROOT}");
    }
}
