//! Vectors of eight bits a value, to choose by before 32 bits decide.

use edge_ai_core::Metric;

/// Vectors as whole numbers from -127 to 127, one behind the other, each with what makes it the size it was.
#[derive(Debug, Default)]
pub(super) struct Codes {
    codes: Vec<i8>,
    /// What a product of codes is multiplied by: the vector's step, for the cosine divided by its length.
    weights: Vec<f32>,
    /// The square of the length.
    squares: Vec<f32>,
}

/// A query in the same form.
#[derive(Debug)]
pub(super) struct CodedQuery {
    metric: Metric,
    codes: Vec<i8>,
    step: f32,
    square: f32,
}

impl Codes {
    pub(super) fn push(&mut self, metric: Metric, values: &[f32]) {
        let step = step(values);
        let square = square(values);
        let weight = match metric {
            Metric::Cosine if square > 0.0 => step / square.sqrt(),
            _ => step,
        };
        self.codes.extend(coded(values, step));
        self.weights.push(weight);
        self.squares.push(square);
    }

    /// Removes a row and moves the last one into its place.
    pub(super) fn swap_remove(&mut self, row: usize, dimensions: usize) {
        let last = (self.weights.len() - 1) * dimensions;
        self.codes.copy_within(last.., row * dimensions);
        self.codes.truncate(last);
        self.weights.swap_remove(row);
        self.squares.swap_remove(row);
    }

    /// How far each row is, about.
    pub(super) fn distances<'a>(&'a self, query: &'a CodedQuery) -> impl Iterator<Item = f32> + 'a {
        let rows = self.codes.chunks_exact(query.codes.len().max(1));
        rows.zip(&self.weights)
            .zip(&self.squares)
            .map(|((row, weight), square)| query.distance(row, *weight, *square))
    }

    /// As bytes: the weights, the squares, the codes.
    #[cfg(any(feature = "vector-object", test))]
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.codes.len() + 8 * self.weights.len());
        for number in self.weights.iter().chain(&self.squares) {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend(self.codes.iter().map(|code| code.cast_unsigned()));
        bytes
    }

    /// What [`to_bytes`](Self::to_bytes) has written of so many rows.
    #[cfg(any(feature = "vector-object", test))]
    pub(super) fn from_bytes(bytes: &[u8], rows: usize, dimensions: usize) -> Option<Self> {
        let (weights, rest) = bytes.split_at_checked(4 * rows)?;
        let (squares, codes) = rest.split_at_checked(4 * rows)?;
        (codes.len() == rows * dimensions).then(|| Self {
            codes: codes.iter().map(|code| code.cast_signed()).collect(),
            weights: super::numbers(weights),
            squares: super::numbers(squares),
        })
    }
}

impl CodedQuery {
    pub(super) fn new(metric: Metric, vector: &[f32]) -> Self {
        let step = step(vector);
        Self {
            metric,
            codes: coded(vector, step).collect(),
            step,
            square: square(vector),
        }
    }

    fn distance(&self, codes: &[i8], weight: f32, square: f32) -> f32 {
        let product = dot(&self.codes, codes) as f32 * weight * self.step;
        let distance = match self.metric {
            Metric::Euclidean => self.square + square - 2.0 * product,
            _ => -product,
        };
        // What 32 bits do not hold is for the exact score to tell.
        if distance.is_nan() {
            f32::MAX
        } else {
            distance.clamp(f32::MIN, f32::MAX)
        }
    }
}

/// The value of one code: the largest value is 127 of them.
fn step(values: &[f32]) -> f32 {
    values.iter().fold(0.0_f32, |most, value| most.max(value.abs())) / 127.0
}

fn coded(values: &[f32], step: f32) -> impl Iterator<Item = i8> + '_ {
    let inverse = if step > 0.0 { 1.0 / step } else { 0.0 };
    // A cast keeps to the range of its type.
    values
        .iter()
        .map(move |value| (value * inverse).round().clamp(-127.0, 127.0) as i8)
}

fn square(values: &[f32]) -> f32 {
    values.iter().map(|value| value * value).sum()
}

/// A product of codes fits 16 bits.
fn dot(a: &[i8], b: &[i8]) -> i32 {
    let (a, a_rest) = a.as_chunks::<16>();
    let (b, b_rest) = b.as_chunks::<16>();
    lanes(a, b) + products(a_rest, b_rest)
}

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
use super::simd::dot_of_codes as lanes;

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
fn lanes(a: &[[i8; 16]], b: &[[i8; 16]]) -> i32 {
    products(a.as_flattened(), b.as_flattened())
}

/// Whole numbers may be added up in any order, so a compiler uses SIMD by itself.
fn products(a: &[i8], b: &[i8]) -> i32 {
    a.iter()
        .zip(b)
        .map(|(a, b)| i32::from(i16::from(*a) * i16::from(*b)))
        .sum()
}
