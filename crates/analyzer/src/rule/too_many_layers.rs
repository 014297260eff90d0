//! Layers without end.

use crate::facts::evidence::Confidence;
use crate::image::Instruction;
use crate::rule::seen::Image;
use crate::rule::seen::{Group, Taken};
use crate::rule::{Look, Rule, Used};
use std::fmt::Write as _;

pub(super) const RULE: Rule = Rule {
    id: "too-many-layers",
    title: "many layers",
    what: "Images of more than 50 layers.",
    why: "Every layer is a request when it is pulled and a mount when it runs. Runtimes refuse \
           more than some 125.",
    fix: "join RUN instructions that belong together",
    example: "RUN step-one \\\n\
            && step-two \\\n\
            && step-three",
    confidence: Confidence::High,
    used: Used::Ignored,
    looks: &[Look::Whole(layers)],
};

/// More than real images need: those of languages have about ten, and applications on them as many.
const MANY: usize = 50;
/// Close to what overlay mounts can hold.
const NEARLY_ALL: usize = 100;

fn layers(image: &Image<'_>, _: &Taken) -> Vec<Group> {
    let rows = &image.account.layers;
    if rows.len() <= MANY {
        return Vec::new();
    }
    let is_run = |at: usize| rows[at].instruction.as_ref().and_then(Instruction::keyword) == Some("RUN");
    let joined = (1..rows.len()).filter(|at| !rows[*at].base && is_run(*at) && is_run(at - 1)).count();
    let empty = rows.iter().filter(|row| row.files.get() == 0).count();
    let mut evidence = format!("there are {} layers, {empty} of them without a file", rows.len());
    if joined > 0 {
        let _ = write!(evidence, "; {joined} RUN instructions follow another one directly");
    }
    let is_grave = rows.len() >= NEARLY_ALL;
    vec![Group { evidence, is_grave, ..Group::default() }]
}
