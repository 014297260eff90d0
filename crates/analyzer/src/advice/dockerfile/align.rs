//! Which instruction of a Dockerfile made which layer of an image.
//!
//! Histories keep their instructions' order, so that both lists are aligned like texts in a
//! diff: the pairs that fit best, none of them crossing. A layer that fits two instructions
//! equally well is left alone.

mod fit;

#[cfg(test)]
mod tests;

use super::Dockerfile;
use crate::image::Instruction as Made;
use fit::{Layer, Line};

/// Where an instruction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The stage, from 0.
    pub stage: usize,
    /// The instruction in its stage, from 0; FROM does not count.
    pub instruction: usize,
}

/// Instructions that are compared with layers, the last ones: the work is as many times the
/// number of layers, of which images have at most some hundred.
const COMPARED_MAX: usize = 2_000;
/// Layers that are compared, the uppermost ones.
const LAYERS_MAX: usize = 1_000;

/// The instruction that made each layer, `None` where that cannot be told. The stages that the
/// target starts from count. Layers of the base image, the lowest `base` where that is known, are
/// nobody's.
pub fn align(
    file: &Dockerfile,
    target: usize,
    layers: &[Option<Made>],
    base: Option<usize>,
) -> Vec<Option<Place>> {
    let mut lines = fit::lines(file, target);
    lines.drain(..lines.len().saturating_sub(COMPARED_MAX));
    let from = base.unwrap_or(0).max(layers.len().saturating_sub(LAYERS_MAX)).min(layers.len());
    let made: Vec<Option<Layer>> =
        layers[from..].iter().map(|made| made.as_ref().and_then(Layer::of)).collect();
    let scores = Scores::of(&lines, &made);
    let pairs = scores.best();
    let places = pairs.into_iter().map(|line| line.map(|line| lines[line].place));
    std::iter::repeat_n(None, from).chain(places).collect()
}

/// How well each layer fits each line; 0 where it does not.
struct Scores {
    lines: usize,
    scores: Vec<Vec<u32>>,
}

impl Scores {
    fn of(lines: &[Line], layers: &[Option<Layer>]) -> Self {
        let row = |layer: &Option<Layer>| {
            let score = |line: &Line| layer.as_ref().map_or(0, |layer| line.fit(layer));
            lines.iter().map(score).collect()
        };
        Self { lines: lines.len(), scores: layers.iter().map(row).collect() }
    }

    /// The line of each layer in the best alignment, from the last layer down.
    fn best(&self) -> Vec<Option<usize>> {
        let below = self.below();
        let above = self.above();
        let total = below[self.scores.len()][self.lines];
        let mut best = vec![None; self.scores.len()];
        let mut bound = self.lines;
        let mut layer = self.scores.len();
        while layer > 0 {
            let row = layer - 1;
            // Everything above is settled, so that what is below has to be as good as it can be.
            let wanted = below[layer][bound];
            let fits = |line: &usize| {
                self.scores[row][*line] > 0 && below[row][*line] + self.scores[row][*line] == wanted
            };
            if let Some(line) = (0..bound).rev().find(fits) {
                // In any best alignment, not only in this one.
                let is_other = |other: &usize| {
                    let score = self.scores[row][*other];
                    *other != line
                        && score > 0
                        && below[row][*other] + score + above[row + 1][*other + 1] == total
                };
                if !(0..self.lines).any(|other| is_other(&other)) {
                    best[row] = Some(line);
                }
                bound = line;
            }
            layer = row;
        }
        best
    }

    /// The best sum of the first layers with the first lines.
    fn below(&self) -> Vec<Vec<u32>> {
        let mut sums = vec![vec![0; self.lines + 1]; self.scores.len() + 1];
        for (layer, scores) in self.scores.iter().enumerate() {
            for (line, score) in scores.iter().enumerate() {
                let pair = if *score > 0 { sums[layer][line] + score } else { 0 };
                sums[layer + 1][line + 1] =
                    pair.max(sums[layer][line + 1]).max(sums[layer + 1][line]);
            }
        }
        sums
    }

    /// The best sum of the last layers with the last lines.
    fn above(&self) -> Vec<Vec<u32>> {
        let mut sums = vec![vec![0; self.lines + 1]; self.scores.len() + 1];
        for (layer, scores) in self.scores.iter().enumerate().rev() {
            for (line, score) in scores.iter().enumerate().rev() {
                let pair = if *score > 0 { sums[layer + 1][line + 1] + score } else { 0 };
                sums[layer][line] = pair.max(sums[layer + 1][line]).max(sums[layer][line + 1]);
            }
        }
        sums
    }
}
