//! Documentation.

use crate::facts::evidence::Confidence;
use crate::rule::seen::File;
use crate::rule::{Look, Rule, Used};

pub(super) const RULE: Rule = Rule {
    id: "docs",
    title: "documentation",
    what: "What Debian's own slim images leave out: files below `/usr/share/doc` but \
           `copyright`, `/usr/share/doc-base`, `/usr/share/gtk-doc`, `/usr/share/gnome/help` and \
           `/usr/share/help` but `C`, `/usr/share/omf`, `/usr/share/lintian`, \
           `/usr/share/linda`; also `/usr/local/share/doc`. Licences stay.",
    why: "Nobody reads documentation in a container; licences may have to be there.",
    fix: "start from a slim base, or exclude them by dpkg.cfg.d",
    example: "RUN printf 'path-exclude /usr/share/doc/*\\\\npath-include /usr/share/doc/*/copyright\\\\n' \\\n\
               > /etc/dpkg/dpkg.cfg.d/docs",
    confidence: Confidence::High,
    used: Used::Matters,
    looks: &[Look::Files(is_document)],
};

const ABOVE: [&str; 9] = [
    "/usr/share/doc/",
    "/usr/share/doc-base/",
    "/usr/local/share/doc/",
    "/usr/share/gtk-doc/",
    "/usr/share/gnome/help/",
    "/usr/share/help/",
    "/usr/share/omf/",
    "/usr/share/lintian/",
    "/usr/share/linda/",
];

fn is_document(file: &File<'_>) -> bool {
    // What the law may ask for, by the names that it has everywhere.
    const LICENCES: [&str; 5] = ["copyright", "licen", "copying", "notice", "legal"];
    let name = file.name.to_ascii_lowercase();
    let is_licence = LICENCES.iter().any(|start| name.starts_with(start.as_bytes()));
    let is_default = (file.is_below("/usr/share/gnome/help/") || file.is_below("/usr/share/help/"))
        && file.is_in("C");
    ABOVE.iter().any(|above| file.is_below(above)) && !is_licence && !is_default
}
