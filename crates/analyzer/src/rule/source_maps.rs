//! Maps from built JavaScript and CSS to their sources.

use crate::facts::evidence::{Confidence, Evidence};
use crate::rule::seen::File;
use crate::rule::{Look, Rule, Used};

pub(super) const RULE: Rule = Rule {
    id: "source-maps",
    title: "source maps",
    what: "Files `*.js.map`, `*.mjs.map`, `*.cjs.map`, `*.ts.map` and `*.css.map` beside the file \
           that they are of. Not those that Node reads because of `--enable-source-maps`.",
    why: "Debuggers read them; a server that ships them also hands out its sources.",
    fix: "build without source maps, or exclude *.map from the COPY",
    example: "RUN npm run build && find dist -name '*.map' -delete",
    confidence: Confidence::Medium,
    used: Used::Matters,
    looks: &[Look::Files(is_map)],
};

fn is_map(file: &File<'_>) -> bool {
    let of = file.name.strip_suffix(b".map");
    file.ends(&[".js.map", ".mjs.map", ".cjs.map", ".css.map", ".ts.map"])
        && of.is_some_and(|of| file.is_beside(of))
        // Node was told to read it.
        && file.evidence < Evidence::Named
}
