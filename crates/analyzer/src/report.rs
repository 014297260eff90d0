//! The account for people and for machines.

pub mod escape;
