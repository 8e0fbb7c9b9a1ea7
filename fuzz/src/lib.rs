//! Fuzz targets of every parser that reads a site's or other foreign bytes.
//!
//! The targets are in `tests/fuzz/`, one file per area, and are ordinary tests: each
//! runs for `PRESSROOM_FUZZ_SECONDS` (1 by default) with bolero's random engine on
//! the stable compiler, and under libFuzzer with `cargo bolero test`. A target
//! asserts that its parser never panics, that an input takes neither long nor much
//! memory, and one thing that is true of every answer.
//!
//! Inputs are hard samples, changed; see `tests/fuzz/input.rs`, where to start. What
//! a target finds becomes a sample there or a test beside the parser.
