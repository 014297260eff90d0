//! Caches of other programs.

use crate::facts::evidence::Confidence;
use crate::rule::seen::Directory;
use crate::rule::{Look, Rule, Used};

pub(super) const RULE: Rule = Rule {
    id: "generic-cache",
    title: "other caches",
    what: "Files below a directory called `.cache`, and below `/var/cache`. Models and browsers \
           that are downloaded into a `.cache` to be used (`huggingface`, `torch`, \
           `ms-playwright`, …) are not among them, nor is what fontconfig keeps.",
    why: "Caches fill again by themselves; an image that ships one ships what some step of its \
           build left.",
    fix: "delete it in the RUN that fills it, or use a cache mount",
    example: "RUN make install && rm -rf /root/.cache",
    confidence: Confidence::Medium,
    used: Used::Matters,
    looks: &[Look::Below(|at| at.is_called(&[".cache"]) || at.is("/var/cache")), Look::NotBelow(is_meant)],
};

/// What is downloaded ahead of the run, or speeds up its start.
const MEANT: [&str; 16] = [
    "argos-translate",
    "chroma",
    "clip",
    "deepspeech",
    "fontconfig",
    "huggingface",
    "ms-playwright",
    "nltk_data",
    "paddle",
    "puppeteer",
    "selenium",
    "sentence_transformers",
    "tiktoken",
    "torch",
    "whisper",
    "ldconfig",
];

fn is_meant(at: &Directory<'_>) -> bool {
    at.is_called(&MEANT)
}
