//! The loops of a scan, in WebAssembly's SIMD. A Worker is linked for size, and then the compiler makes no SIMD of plain loops, as it does natively; so here they are
//! written in it, with what [`bytemuck`] knows to be a load.

use core::arch::wasm32::{
    f32x4_add, f32x4_extract_lane, f32x4_mul, f32x4_splat, f32x4_sub, i16x8_add, i16x8_extmul_high_i8x16,
    i16x8_extmul_low_i8x16, i32x4_add, i32x4_extadd_pairwise_i16x8, i32x4_extract_lane, i32x4_splat, v128,
};

use bytemuck::must_cast;

/// The inner product of the lanes; what is over is left out.
pub(super) fn dot(a: &[[f32; 16]], b: &[[f32; 16]]) -> f32 {
    sum(a, b, |a, b| f32x4_mul(a, b))
}

/// The squared distance of the lanes.
pub(super) fn squared_distance(a: &[[f32; 16]], b: &[[f32; 16]]) -> f32 {
    sum(a, b, |a, b| {
        let apart = f32x4_sub(a, b);
        f32x4_mul(apart, apart)
    })
}

/// The inner product of codes from -127 to 127: two products add up within 16 bits.
pub(super) fn dot_of_codes(a: &[[i8; 16]], b: &[[i8; 16]]) -> i32 {
    let mut sums = i32x4_splat(0);
    for (a, b) in a.iter().zip(b) {
        let (a, b): (v128, v128) = (must_cast(*a), must_cast(*b));
        let pairs = i16x8_add(i16x8_extmul_low_i8x16(a, b), i16x8_extmul_high_i8x16(a, b));
        sums = i32x4_add(sums, i32x4_extadd_pairwise_i16x8(pairs));
    }
    i32x4_extract_lane::<0>(sums)
        + i32x4_extract_lane::<1>(sums)
        + i32x4_extract_lane::<2>(sums)
        + i32x4_extract_lane::<3>(sums)
}

#[inline(always)]
fn sum(a: &[[f32; 16]], b: &[[f32; 16]], term: impl Fn(v128, v128) -> v128) -> f32 {
    let mut first = f32x4_splat(0.0);
    let (mut second, mut third, mut fourth) = (first, first, first);
    for (a, b) in a.iter().zip(b) {
        let [a, b]: [[v128; 4]; 2] = [must_cast(*a), must_cast(*b)];
        first = f32x4_add(first, term(a[0], b[0]));
        second = f32x4_add(second, term(a[1], b[1]));
        third = f32x4_add(third, term(a[2], b[2]));
        fourth = f32x4_add(fourth, term(a[3], b[3]));
    }
    let sums = f32x4_add(f32x4_add(first, second), f32x4_add(third, fourth));
    f32x4_extract_lane::<0>(sums)
        + f32x4_extract_lane::<1>(sums)
        + f32x4_extract_lane::<2>(sums)
        + f32x4_extract_lane::<3>(sums)
}
