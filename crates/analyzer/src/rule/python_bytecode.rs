//! Compiled forms of modules whose sources are there.

use crate::facts::evidence::Confidence;
use crate::rule::seen::File;
use crate::rule::{Look, Rule, Used};

pub(super) const RULE: Rule = Rule {
    id: "python-bytecode",
    title: "bytecode of Python beside its sources",
    what: "Files `*.pyc` in a `__pycache__` whose source stands beside it, and `*.pyo`.",
    why: "Python makes them again. Without them each start of a container compiles what it \
           imports: images that start often or must start fast keep them.",
    fix: "set PYTHONDONTWRITEBYTECODE=1 before the RUN that installs",
    example: "ENV PYTHONDONTWRITEBYTECODE=1\n\
           RUN pip install --no-cache-dir --no-compile -r requirements.txt",
    confidence: Confidence::Medium,
    used: Used::Lowers,
    looks: &[Look::Files(is_bytecode)],
};

fn is_bytecode(file: &File<'_>) -> bool {
    if file.ends(&[".pyo"]) {
        return true;
    }
    let is_compiled = file.ends(&[".pyc"])
        && crate::entry::split(crate::entry::split(file.path).0).1 == b"__pycache__";
    if !is_compiled {
        return false;
    }
    // `module.cpython-311.opt-1.pyc` is of `module.py`; a module's name has no dot.
    let stem = file.name.split(|b| *b == b'.').next().unwrap_or_default();
    let tree = file.image.files.tree();
    let above = tree.parent(file.node).and_then(|cache| tree.parent(cache));
    above.is_some_and(|above| tree.child(above, &[stem, b".py"].concat()).is_some())
}
