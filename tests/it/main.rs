//! End-to-end tests: the built command against files, registries and runtimes. A module a topic.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod archives;
mod bad_images;
mod bombs;
mod browser;
mod cache;
mod ci_examples;
mod command_line;
mod containerd;
mod damage;
mod documents;
mod engines;
mod final_tree;
mod formats;
mod gate;
mod golden;
mod history;
mod html;
mod jettison;
mod layers;
mod layouts;
mod outputs;
mod owners;
mod profile;
mod proof;
mod prune;
mod reach;
mod refusals;
mod registry;
mod reports;
mod rules;
mod shop;
mod suggestions;
mod tools;
mod unused;
mod why;
