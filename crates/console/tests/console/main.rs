//! The console over a real store: who may come in, what forms must carry, what the
//! pages and streams say. The browser suite looks at it with a browser's eyes.

#[path = "../../../dialects/http/tests/frame/fleet.rs"]
#[expect(dead_code, reason = "shared with suites that use more of it")]
mod fleet;
#[path = "../../../dialects/http/tests/frame/kept.rs"]
#[expect(dead_code, reason = "shared with suites that use more of it")]
mod kept;
mod world;

mod entrance;
mod matrix;
mod pages;
mod people;
mod policy;
mod updates;
