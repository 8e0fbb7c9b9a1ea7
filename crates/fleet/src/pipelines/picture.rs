//! A picture of a page as faces see it.

use pressroom_base::Timestamp;
use pressroom_store::{PictureMoment, PictureRow};
use serde::{Deserialize, Serialize};

/// A page as a browser showed it before or after an update. Ids are without a dialect's prefix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PipelinePicture {
    /// Its own.
    pub id: String,
    /// The stage that took it.
    pub stage: String,
    /// The target that was tried by itself, `plugin shop`; all together, without.
    pub target: Option<String>,
    /// The page's address, relative to the site.
    pub page: String,
    /// `desktop` or `phone`.
    pub screen: String,
    /// Before or after the updates.
    pub moment: PictureMoment,
    /// What findings call it.
    pub shot: String,
    /// CSS pixels of the page as shown; the file may have fewer.
    pub width: u32,
    /// The same.
    pub height: u32,
    /// Where the page differs, in CSS pixels of the picture from before; the largest first.
    pub areas: Vec<Area>,
    /// Bytes of the file, a PNG.
    pub size: u64,
    /// When it was kept.
    pub at: Timestamp,
}

/// A rectangle in CSS pixels, from the page's top left corner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Area {
    /// From the left.
    pub x: u32,
    /// From the top.
    pub y: u32,
    /// To the right.
    pub width: u32,
    /// Downwards.
    pub height: u32,
}

impl Area {
    pub(super) fn of(area: &pressroom_visitor::impression::Area) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "pixels of a page, and the cast keeps to the bounds"
        )]
        let pixels = |value: f64| value.round() as u32;
        Self {
            x: pixels(area.x),
            y: pixels(area.y),
            width: pixels(area.width),
            height: pixels(area.height),
        }
    }
}

impl From<PictureRow> for PipelinePicture {
    fn from(row: PictureRow) -> Self {
        Self {
            id: row.short_id.to_string(),
            stage: row.stage,
            target: row.target,
            page: row.page,
            screen: row.screen,
            moment: row.moment,
            shot: row.shot,
            width: u32::try_from(row.width).unwrap_or_default(),
            height: u32::try_from(row.height).unwrap_or_default(),
            areas: Vec::deserialize(&row.areas).unwrap_or_default(),
            size: u64::try_from(row.size).unwrap_or_default(),
            at: row.at,
        }
    }
}
