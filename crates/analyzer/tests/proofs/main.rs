//! The account against what others say of the same bytes: an independent replay of the layers,
//! dive itself, and Python's tarfile.

mod cases;
mod dive;
mod model;
mod pipeline;
mod plan;
mod replay;
mod tar;
