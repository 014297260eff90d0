//! Sections of programs that only debuggers read.

use crate::facts::evidence::Confidence;
use crate::facts::kind::Form;
use crate::rule::seen::File;
use crate::rule::seen::Part;
use crate::rule::{Look, Rule, Used};

pub(super) const RULE: Rule = Rule {
    id: "debug-symbols",
    title: "debug sections and symbol tables",
    what: "The bytes of `.debug_*` sections, and of `.symtab` with its strings, in programs and \
           shared objects. Files with a signature over their content are left alone.",
    why: "No program needs them to run. Crash reports and profilers have fewer names without \
           them: keep an unstripped copy outside of the image.",
    fix: "run strip --strip-unneeded, or build with -s (Go: -ldflags=\"-s -w\")",
    example: "RUN make install && find /usr/local -type f -perm /111 -exec strip --strip-unneeded {} + || true",
    confidence: Confidence::High,
    used: Used::Ignored,
    looks: &[Look::Parts(sections)],
};

fn sections(file: &File<'_>) -> Vec<Part> {
    if file.size < FILE_MIN || is_signed(file) {
        return Vec::new();
    }
    // Contents are opened only where the name fits: modules are many, and often executable.
    let is_library =
        file.ends(&[".so", ".node"]) || memchr::memmem::find(file.name, b".so.").is_some();
    let is_program = || {
        let is_executable = file.image.files.is_executable(file.node);
        is_executable
            && (file.image.files.form(file.node) == Form::Program || !file.name.contains(&b'.'))
    };
    if !is_library && !is_program() {
        return Vec::new();
    }
    match file.image.files.sections(file.node) {
        Ok(Some((debug, symbols))) => {
            vec![Part { of: ".debug_*", bytes: debug }, Part { of: ".symtab", bytes: symbols }]
        }
        _ => Vec::new(),
    }
}

/// Nothing worth it in a smaller one.
const FILE_MIN: u64 = 8 << 10;

/// Whether something checks the file's content when it is loaded (IMA, FIPS).
fn is_signed(file: &File<'_>) -> bool {
    let sum = [b".", file.name, b".hmac"].concat();
    let mut entry = file.image.files.entry(file.node).into_iter();
    file.is_beside(&sum)
        || entry.any(|entry| entry.xattrs().any(|(name, _)| name == b"security.ima"))
}
