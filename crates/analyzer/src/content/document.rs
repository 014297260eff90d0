//! Which files are kept whole, because their text is what other files are found by.

/// A package database: Debian's status of ten thousand packages takes 12 MB.
const DATABASE_MAX: u64 = 32 << 20;
/// A configuration.
const CONFIG_MAX: u64 = 256 << 10;

/// Whether the file at `path` (without a leading slash) is read as a document.
pub fn is_document(path: &[u8], size: u64) -> bool {
    size <= DATABASE_MAX && is_database(path) || size <= CONFIG_MAX && is_config(path)
}

/// Whether it is a package database that is larger than is read.
pub fn is_too_large(path: &[u8], size: u64) -> bool {
    size > DATABASE_MAX && is_database(path)
}

fn is_database(path: &[u8]) -> bool {
    let (directory, name) = crate::entry::split(path);
    match directory {
        b"var/lib/dpkg" => matches!(name, b"status" | b"diversions"),
        b"var/lib/dpkg/info" => name.ends_with(b".list"),
        b"var/lib/dpkg/status.d" => true,
        b"var/lib/apt" => name == b"extended_states",
        b"var/lib/dnf" => name == b"history.sqlite",
        b"usr/lib/sysimage/libdnf5" => name == b"packages.toml",
        b"var/lib/zypp" => name == b"AutoInstalled",
        b"lib/apk/db" | b"usr/lib/apk/db" => name == b"installed",
        _ => {
            let folder = crate::entry::split(directory).1;
            (folder.ends_with(b".dist-info") && matches!(name, b"RECORD" | b"METADATA"))
                || (folder.ends_with(b".egg-info")
                    && matches!(name, b"PKG-INFO" | b"SOURCES.txt" | b"installed-files.txt"))
                || name == b"package.json"
                || (name.ends_with(b".gemspec")
                    && (folder == b"specifications"
                        || directory.ends_with(b"/specifications/default")))
                // Maps of large applications list every class.
                || (folder == b"composer"
                    && (name.starts_with(b"autoload_") || name == b"installed.json"))
        }
    }
}

fn is_config(path: &[u8]) -> bool {
    // Contents of /etc lead to programs, libraries and plugins in many formats; all of it takes
    // some hundred kilobytes. Certificates do not, and are many.
    if path.starts_with(b"etc/") || path.starts_with(b"usr/local/etc/") {
        return !path.starts_with(b"etc/ssl/certs/") && !path.ends_with(b".pem");
    }
    let (directory, name) = crate::entry::split(path);
    // An application's own, rather than a package's data.
    let is_own = !path.starts_with(b"usr/")
        && !path.starts_with(b"var/lib/")
        && memchr::memmem::find(path, b"node_modules/").is_none();
    if is_own && has_settings(name) {
        return true;
    }
    matches!(
        name,
        b"entry_points.txt"
            | b"top_level.txt"
            | b"pyvenv.cfg"
            | b"MANIFEST.MF"
            | b"os-release"
            | b"supervisord.conf"
            | b"Procfile"
            | b"crontab"
            | b"Gemfile.lock"
            | b"gems.locked"
            | b"openssl.cnf"
            | b"php.ini"
            | b"nsswitch.conf"
    ) || name.ends_with(b".pth")
        || name.ends_with(b".service")
        // Kept under any name: a command line tells a supervisor, cron or java where it is.
        || (name.starts_with(b"supervis") && (name.ends_with(b".conf") || name.ends_with(b".ini")))
        || name.ends_with(b".crontab")
        || name.ends_with(b".argfile")
        || (path.starts_with(b"usr/lib/python") && name == b"orig-prefix.txt")
        || (directory == b"lib/apk/db" && name == b"world")
        || (path.starts_with(b"usr/share/nginx") && name.ends_with(b".conf"))
        || (directory.ends_with(b"lib/security") && name.ends_with(b".conf"))
        || directory == b"var/spool/cron/crontabs"
        || directory == b"usr/share/pam.d"
        || directory == b"usr/lib/pam.d"
}

/// Whether the file at `path` (without a leading slash) tells programs what to do: its words may be
/// paths.
pub fn is_configuration(path: &[u8]) -> bool {
    path.starts_with(b"etc/") || has_settings(crate::entry::split(path).1)
}

fn has_settings(name: &[u8]) -> bool {
    if name == b".htaccess" {
        return true;
    }
    let ends = [&b".conf"[..], b".cnf", b".cfg", b".ini", b".toml", b".yml", b".yaml"];
    ends.iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::{is_document, is_too_large};

    #[test]
    fn databases_and_configurations_are_kept() {
        for path in [
            "var/lib/dpkg/status",
            "var/lib/dpkg/info/libc6:amd64.list",
            "var/lib/dpkg/status.d/base",
            "lib/apk/db/installed",
            "etc/nginx/nginx.conf",
            "opt/v/lib/python3.11/site-packages/flask-1.dist-info/RECORD",
            "app/node_modules/express/package.json",
            "usr/lib/ruby/gems/3.3.0/specifications/rack-3.0.gemspec",
            "usr/lib/ruby/gems/3.3.0/specifications/default/json-2.9.gemspec",
            "usr/local/etc/php/conf.d/docker-php-ext-intl.ini",
            "app/supervisord.conf",
            "srv/vendor/composer/autoload_classmap.php",
        ] {
            assert!(is_document(path.as_bytes(), 1000), "{path}");
        }
        for path in ["var/lib/dpkg/info/libc6.md5sums", "etc/ssl/certs/a.0", "usr/bin/ls"] {
            assert!(!is_document(path.as_bytes(), 1000), "{path}");
        }
        assert!(!is_document(b"etc/huge", 1 << 20));
        assert!(is_too_large(b"var/lib/dpkg/status", 1 << 30));
    }
}
