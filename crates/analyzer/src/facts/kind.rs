//! Kinds of files that no program reads while it does its work, told by where they stand.
//!
//! The directories of documents are those of Debian's own list for its slim images
//! (debuerreotype's `.slimify-excludes`), with its exceptions.

/// What a file is for, as far as its place tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FileKind {
    /// Documentation, examples, change logs.
    Documentation,
    /// Manual and info pages.
    Manual,
    /// Translations of messages.
    Translation,
    /// Lists and archives of a package manager, and other caches that fill again by themselves.
    Cache,
    /// Headers, static libraries and what tells compilers of them.
    Development,
    /// Hooks and checks of package tools.
    PackageTooling,
    /// Tests of a library.
    Test,
    /// Anything else.
    Other,
}

impl FileKind {
    /// The words in reports; empty for [`Self::Other`].
    pub const fn name(self) -> &'static str {
        match self {
            Self::Documentation => "documentation",
            Self::Manual => "manual pages",
            Self::Translation => "translations",
            Self::Cache => "caches",
            Self::Development => "headers and static libraries",
            Self::PackageTooling => "package tooling",
            Self::Test => "tests",
            Self::Other => "",
        }
    }
}

const BY_DIRECTORY: [(&[u8], FileKind); 27] = [
    (b"/usr/share/doc/", FileKind::Documentation),
    (b"/usr/share/doc-base/", FileKind::Documentation),
    (b"/usr/share/gtk-doc/", FileKind::Documentation),
    (b"/usr/local/share/doc/", FileKind::Documentation),
    (b"/usr/share/man/", FileKind::Manual),
    (b"/usr/local/share/man/", FileKind::Manual),
    (b"/usr/local/man/", FileKind::Manual),
    (b"/usr/share/info/", FileKind::Manual),
    (b"/usr/share/locale/", FileKind::Translation),
    (b"/usr/share/i18n/", FileKind::Translation),
    (b"/usr/share/gnome/help/", FileKind::Documentation),
    (b"/usr/share/omf/", FileKind::Documentation),
    (b"/usr/share/lintian/", FileKind::PackageTooling),
    (b"/usr/share/linda/", FileKind::PackageTooling),
    (b"/usr/share/debconf/", FileKind::PackageTooling),
    (b"/usr/share/bug/", FileKind::PackageTooling),
    (b"/usr/share/reportbug/", FileKind::PackageTooling),
    (b"/usr/share/bash-completion/", FileKind::PackageTooling),
    (b"/usr/share/zsh/vendor-completions/", FileKind::PackageTooling),
    (b"/usr/share/fish/vendor_completions.d/", FileKind::PackageTooling),
    (b"/var/cache/", FileKind::Cache),
    (b"/var/lib/apt/lists/", FileKind::Cache),
    (b"/root/.cache/", FileKind::Cache),
    (b"/root/.npm/", FileKind::Cache),
    (b"/usr/include/", FileKind::Development),
    (b"/usr/local/include/", FileKind::Development),
    (b"/usr/share/aclocal/", FileKind::Development),
];

/// The kind of the file at `path`, which starts with a slash.
pub fn kind_of(path: &[u8]) -> FileKind {
    let (directory, name) = crate::entry::split(path);
    for (above, kind) in BY_DIRECTORY {
        if path.starts_with(above) {
            // Programs read these lists of names.
            let is_list =
                matches!(name, b"locale.alias" | b"languages" | b"all_languages" | b"currency");
            if kind == FileKind::Translation && is_list {
                return FileKind::Other;
            }
            return kind;
        }
    }
    // What dpkg runs and reads when a package comes or goes; its lists say what is there.
    if directory == b"/var/lib/dpkg/info" {
        const TOOLING: [&[u8]; 9] = [
            b".symbols",
            b".shlibs",
            b".templates",
            b".config",
            b".triggers",
            b".preinst",
            b".postinst",
            b".prerm",
            b".postrm",
        ];
        if TOOLING.iter().any(|end| name.ends_with(end)) {
            return FileKind::PackageTooling;
        }
    }
    let is_below = |wanted: &[u8]| directory.split(|b| *b == b'/').any(|part| part == wanted);
    if name.ends_with(b".a")
        || name.ends_with(b".la")
        || is_below(b"pkgconfig")
        || is_below(b"cmake")
    {
        return FileKind::Development;
    }
    if name.ends_with(b".pod") {
        return FileKind::Documentation;
    }
    let is_module = is_below(b"node_modules");
    let is_source = is_module || is_below(b"site-packages") || is_below(b"dist-packages");
    let ends = |ends: &[&[u8]]| ends.iter().any(|end| name.ends_with(end));
    // Declarations of types, maps of sources, sources of what is compiled already.
    if ends(&[b".d.ts", b".d.mts", b".d.cts", b".pyi"])
        || is_module && ends(&[b".map", b".gyp", b".gypi"])
        || directory.starts_with(b"/usr/lib/") && ends(&[b".h", b".hpp"])
        || is_source && ends(&[b".h", b".hpp", b".hh", b".c", b".cc", b".cpp", b".pxd", b".pyx"])
    {
        return FileKind::Development;
    }
    if is_module && ends(&[b".md", b".markdown"]) {
        return FileKind::Documentation;
    }
    let is_library = is_below(b"site-packages")
        || is_below(b"dist-packages")
        || directory.starts_with(b"/usr/lib/python")
        || directory.starts_with(b"/usr/local/lib/python");
    if is_library && (is_below(b"tests") || is_below(b"test") || is_below(b"idle_test")) {
        return FileKind::Test;
    }
    FileKind::Other
}

/// What a file is by its name and mode alone, for files that nobody has looked into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A module of Python, its compiled forms and native ones included.
    Python,
    /// A module of JavaScript, or a native one of Node.
    JavaScript,
    /// A module of Perl, native ones included.
    Perl,
    /// A file of Ruby or of one of its gems.
    Ruby,
    /// A file or an extension of PHP.
    Php,
    /// Classes and archives of Java.
    Java,
    /// A shared object.
    SharedObject,
    /// A file that may be executed.
    Program,
    /// Anything else.
    Data,
}

/// Whether `path` is below a directory of Python's installed packages.
pub fn is_in_site(path: &[u8]) -> bool {
    [&b"/site-packages/"[..], b"/dist-packages/"]
        .iter()
        .any(|site| memchr::memmem::find(path, site).is_some())
}

/// The form of the file at `path`; `is_executable` is what its mode says.
pub fn form_of(path: &[u8], is_executable: bool) -> Form {
    let name = crate::entry::split(path).1;
    let has = |part: &[u8]| memchr::memmem::find(path, part).is_some();
    let ends = |ends: &[&[u8]]| ends.iter().any(|end| name.ends_with(end));
    if is_in_site(path)
        || ends(&[b".py", b".pyc", b".pyw"])
        || memchr::memmem::find(name, b".cpython-").is_some()
    {
        Form::Python
    } else if ends(&[b".js", b".mjs", b".cjs", b".node"]) || has(b"/node_modules/") {
        Form::JavaScript
    } else if ends(&[b".pm", b".al", b".ix", b".pl", b".pod"])
        || has(b"/auto/") && has(b"/perl") && ends(&[b".so"])
    {
        Form::Perl
    } else if ends(&[b".rb", b".gemspec", b".rake", b".ru"])
        || has(b"/gems/")
        || has(b"/ruby/") && ends(&[b".so"])
    {
        Form::Ruby
    } else if ends(&[b".php", b".phar", b".phtml"]) || has(b"/php") && ends(&[b".so"]) {
        Form::Php
    } else if ends(&[b".jar", b".class", b".war", b".ear", b".jmod"]) {
        Form::Java
    } else if ends(&[b".so"]) || memchr::memmem::find(name, b".so.").is_some() {
        Form::SharedObject
    } else if is_executable {
        Form::Program
    } else {
        Form::Data
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_tell_kinds() {
        for (path, kind) in [
            ("/usr/share/doc/bash/README", FileKind::Documentation),
            ("/usr/share/locale/de/LC_MESSAGES/x.mo", FileKind::Translation),
            ("/usr/share/locale/locale.alias", FileKind::Other),
            ("/usr/lib/x86_64-linux-gnu/libc.a", FileKind::Development),
            ("/usr/lib/x86_64-linux-gnu/pkgconfig/z.pc", FileKind::Development),
            ("/usr/lib/python3.11/test/x.py", FileKind::Test),
            ("/app/tests/x.py", FileKind::Other),
            ("/app/node_modules/x/index.d.ts", FileKind::Development),
            ("/app/node_modules/x/README.md", FileKind::Documentation),
            ("/app/README.md", FileKind::Other),
            ("/usr/bin/ls", FileKind::Other),
        ] {
            assert_eq!(kind_of(path.as_bytes()), kind, "{path}");
        }
    }

    #[test]
    fn names_tell_forms() {
        for (path, mode, form) in [
            ("/usr/lib/python3.11/os.py", false, Form::Python),
            ("/opt/v/lib/python3.11/site-packages/x.libs/libblas.so.1", false, Form::Python),
            ("/usr/lib/x86_64-linux-gnu/libz.so.1.2", false, Form::SharedObject),
            ("/app/build/a.node", false, Form::JavaScript),
            ("/usr/bin/ls", true, Form::Program),
            ("/usr/lib/x86_64-linux-gnu/perl-base/auto/POSIX/POSIX.so", false, Form::Perl),
            ("/usr/local/bundle/gems/puma-6/lib/puma.so", false, Form::Ruby),
            ("/usr/lib/php/20220829/intl.so", false, Form::Php),
            ("/app/x.jar", false, Form::Java),
            ("/usr/share/x/data", false, Form::Data),
        ] {
            assert_eq!(form_of(path.as_bytes(), mode), form, "{path}");
        }
    }
}
