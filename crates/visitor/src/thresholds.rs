//! Where a difference begins to count. The only place that knows these numbers;
//! `docs/verification.md` shows them, and a test holds it to that.

/// Lists the thresholds once: what they mean, and their numbers.
macro_rules! thresholds {
    ($($(#[doc = $doc:literal])+ $name:ident: $type:ty = $value:literal,)+) => {
        /// What two looks may differ in. Shares are of 1.
        #[derive(Debug, Clone, PartialEq)]
        pub struct Thresholds {
            $($(#[doc = $doc])+ pub $name: $type,)+
        }

        impl Thresholds {
            /// What is used.
            pub const DEFAULT: Self = Self { $($name: $value,)+ };

            /// Name, number and meaning of each, for the documentation.
            pub const LISTED: &[(&str, &str, &str)] = &[
                $((stringify!($name), stringify!($value), concat!($($doc),+)),)+
            ];
        }
    };
}

thresholds! {
    /// A page whose body has less than this share of what it had is broken. The contract's
    /// number: less is a page without its content.
    body_share: f64 = 0.30,
    /// Bodies that were smaller than this are not measured, in bytes: an endpoint that says
    /// `0` may say nothing else.
    body_from: u64 = 512,
    /// The same for what a person can read: a page may keep its bytes, in styles and
    /// scripts, and lose its text.
    text_share: f64 = 0.30,
    /// Less than this share of the text is told, and stops nothing: a shorter list of
    /// related posts does that.
    text_share_told: f64 = 0.60,
    /// Pages with fewer characters to read are not measured.
    text_from: u64 = 200,
    /// Less than this share of the links is told: a menu may be gone.
    links_share: f64 = 0.30,
    /// Pages with fewer links are not measured.
    links_from: u32 = 10,
    /// The contract's number: a page that takes more than this many times as long …
    slow_factor: f64 = 3.0,
    /// … and more than this, in milliseconds, is too slow.
    slow_ms: u64 = 3000,
    /// On a fast site ten times as long may still be under the contract's seconds. This
    /// many times as long …
    slower_factor: f64 = 5.0,
    /// … and this much longer, in milliseconds, is broken too. Compared are the shortest of
    /// several uncached requests: what the machine does besides makes some slow, never all.
    slower_ms: u64 = 300,
    /// Requests that are needed for that; one alone may have met a busy machine.
    slower_looks: usize = 2,
    /// This many times as long …
    told_slower_factor: f64 = 2.0,
    /// … and this much longer, in milliseconds, is told; the shortest count here too.
    told_slower_ms: u64 = 500,
    /// A page whose own styles have less than this share of their bytes has lost its looks.
    style_share: f64 = 0.50,
    /// Pages with less style are not measured, in bytes.
    style_from: u64 = 200,
    /// Things on the page (headings, paragraphs, pictures, forms) that are found again and
    /// stand elsewhere, as a share of all that are found again: from here on the layout is
    /// broken. A font that runs wider moves next to nothing sideways; a notice above moves
    /// everything down together, which does not count.
    moved_share: f64 = 0.30,
    /// From here on it is told.
    moved_share_told: f64 = 0.10,
    /// Fewer things that are found again are not measured.
    moved_from: usize = 3,
    /// Sideways, what is less than this share of the window's width has not moved.
    moved_sideways: f64 = 0.05,
    /// Neither has what is this much wider or narrower.
    moved_width: f64 = 0.35,
    /// Up or down against its neighbours, in CSS pixels.
    moved_against_neighbours: f64 = 200.0,
    /// What a page begins with may be pushed down by this share of the window's height; a
    /// banner takes a third, and below that the content is out of sight.
    pushed_down: f64 = 0.60,
    /// Tiles that are less alike than this (structural similarity) have changed.
    tile_alike: f64 = 0.60,
    /// From this share of changed tiles, among those that show anything and do not change
    /// by themselves, the page looks broken. Well above what another font does.
    changed_share: f64 = 0.60,
    /// From here on it is told.
    changed_share_told: f64 = 0.15,
    /// Pictures with fewer tiles that show anything are not measured.
    tiles_from: usize = 12,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self::DEFAULT
    }
}
