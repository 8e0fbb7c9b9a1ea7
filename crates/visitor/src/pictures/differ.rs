//! Pictures compared as a person would: tile by tile, by structure, without what changes by
//! itself, and whatever stands a little higher or lower than before.

use super::Picture;
use crate::{
    finding::{Finding, FindingKind, Severity},
    impression::{Area, Impression, Pictures, Screen, Shot},
    thresholds::Thresholds,
};
use image::{
    DynamicImage, GrayImage, ImageFormat, ImageReader, Limits, Rgb, RgbImage,
    imageops::{self, FilterType},
};
use image_compare::Algorithm;
use std::{
    collections::{BTreeMap, BTreeSet},
    io::Cursor,
};

/// Pictures are compared at this part of their size: letters become grey, and another font
/// is nearly the same.
const SCALE: u32 = 4;
/// A tile's side, in pixels of the small picture. It is the window of the measure.
const TILE: u32 = 8;
/// How far a row of tiles may have moved up or down, in pixels of the small picture.
const DRIFT: i64 = 130;
/// What a tile's pixels differ by at least when it shows anything.
const INK: u8 = 16;
/// Between two pictures before, what is less alike than this changes by itself.
const ALIKE_BY_ITSELF: f64 = 0.90;
/// A picture that is larger is none of ours.
const WIDEST: u32 = 4000;
const HIGHEST: u32 = 10_000;
/// Areas that are told.
const AREAS: usize = 20;

/// How a page differs in its pictures.
#[derive(Debug, Clone)]
pub struct Difference {
    /// The page.
    pub page: String,
    /// On which screen.
    pub screen: Screen,
    /// The pictures that were compared, by their names.
    pub before: String,
    /// The one of afterwards that is most like it.
    pub after: String,
    /// Tiles that changed, as a share of those that show anything and do not change by
    /// themselves.
    pub share: f64,
    /// How many tiles that are.
    pub tiles: usize,
    /// Where, in CSS pixels of the picture before; the largest first.
    pub areas: Vec<Area>,
    /// The picture afterwards with what changed marked, as PNG; empty when nothing did.
    pub png: Vec<u8>,
}

/// Compares the pictures of two looks. It takes a second of computing for each page: call
/// it where that blocks nobody. Pictures that are not there are left out.
pub fn compare_pictures(
    (before, then): (&Impression, &[Picture]),
    (after, now): (&Impression, &[Picture]),
    thresholds: &Thresholds,
) -> (Vec<Finding>, Vec<Difference>) {
    let (then, now) = (views(before, then), views(after, now));
    let mut findings = Vec::new();
    let mut differences = Vec::new();
    for (key, before) in &then {
        let Some(after) = now.get(key) else { continue };
        let Some(difference) = differ(before, after, thresholds) else {
            continue;
        };
        if let Some(finding) = judge(&difference, thresholds) {
            findings.push(finding);
        }
        differences.push(difference);
    }
    (findings, differences)
}

fn judge(difference: &Difference, thresholds: &Thresholds) -> Option<Finding> {
    if difference.tiles < thresholds.tiles_from {
        return None;
    }
    let severity = if difference.share >= thresholds.changed_share {
        Severity::Blocking
    } else if difference.share >= thresholds.changed_share_told {
        Severity::Warning
    } else {
        return None;
    };
    let share = format!("{:.0} %", difference.share * 100.0);
    Some(Finding {
        what: FindingKind::LooksChanged,
        severity,
        place: difference.page.clone(),
        before: difference.before.clone(),
        after: difference.after.clone(),
        message: format!(
            "{}: on a {} {share} of what it shows looks different",
            difference.page,
            difference.screen.as_str()
        ),
    })
}

/// One picture, ready to be compared.
struct View<'a> {
    shot: &'a Shot,
    whole: RgbImage,
    /// Red, green and blue of the small picture.
    small: [GrayImage; 3],
    gray: GrayImage,
}

type Views<'a> = BTreeMap<(&'a str, Screen), Vec<View<'a>>>;

fn views<'a>(impression: &'a Impression, pictures: &[Picture]) -> Views<'a> {
    let mut views = Views::new();
    let Pictures::Made { shots, .. } = &impression.pictures else {
        return views;
    };
    for shot in shots {
        let picture = pictures.iter().find(|picture| picture.name == shot.name);
        if let Some(view) = picture.and_then(|picture| view(shot, picture)) {
            views
                .entry((shot.page.as_str(), shot.screen))
                .or_default()
                .push(view);
        }
    }
    views
}

fn view<'a>(shot: &'a Shot, picture: &Picture) -> Option<View<'a>> {
    let mut reader = ImageReader::with_format(Cursor::new(&picture.png), ImageFormat::Png);
    let mut limits = Limits::default();
    limits.max_image_width = Some(WIDEST);
    limits.max_image_height = Some(HIGHEST);
    reader.limits(limits);
    let whole = reader.decode().ok()?.into_rgb8();
    let (width, height) = (whole.width() / SCALE, whole.height() / SCALE);
    if width < TILE || height < TILE {
        return None;
    }
    let small = imageops::resize(&whole, width, height, FilterType::Triangle);
    let channel = |at: usize| {
        GrayImage::from_fn(width, height, |x, y| {
            image::Luma([small.get_pixel(x, y).0[at]])
        })
    };
    let gray = DynamicImage::ImageRgb8(small.clone()).into_luma8();
    Some(View {
        shot,
        small: [channel(0), channel(1), channel(2)],
        whole,
        gray,
    })
}

/// A tile of the picture before: column and row.
type Tile = (u32, u32);

/// What two pictures have in common.
struct Compared {
    /// Tiles that show anything, in either.
    shown: BTreeSet<Tile>,
    /// How alike each of them is.
    alike: BTreeMap<Tile, f64>,
    /// How far each row of tiles has moved.
    drift: Vec<i64>,
}

fn differ(before: &[View<'_>], after: &[View<'_>], thresholds: &Thresholds) -> Option<Difference> {
    let (then, others) = before.split_first()?;
    let mut masked = BTreeSet::new();
    for other in others {
        let compared = compare(then, other);
        for (tile, alike) in &compared.alike {
            if *alike < ALIKE_BY_ITSELF {
                masked.extend(around(*tile));
            }
        }
    }
    after
        .iter()
        .map(|now| difference(then, now, &masked, thresholds))
        .min_by(|one, other| one.share.total_cmp(&other.share))
}

fn around((column, row): Tile) -> impl Iterator<Item = Tile> {
    let columns = column.saturating_sub(1)..=column + 1;
    columns.flat_map(move |column| (row.saturating_sub(1)..=row + 1).map(move |row| (column, row)))
}

fn difference(
    then: &View<'_>,
    now: &View<'_>,
    masked: &BTreeSet<Tile>,
    thresholds: &Thresholds,
) -> Difference {
    let compared = compare(then, now);
    let over = |shot: &Shot, tile: Tile, drift: i64| {
        let side = f64::from(TILE * SCALE);
        let x = f64::from(tile.0) * side;
        #[expect(clippy::cast_precision_loss, reason = "a few hundred pixels")]
        let y = f64::from(tile.1) * side + drift as f64 * f64::from(SCALE);
        let window = f64::from(shot.screen.size().1);
        let picture = f64::from(shot.height);
        shot.overlays.iter().any(|area| {
            // While a whole page is drawn its window is as high as the page: what fills the
            // one fills the other, and what sticks to its end sticks to the other's.
            let fills = area.height >= window * 0.9;
            let height = if fills { picture } else { area.height };
            let tops = [area.y, area.y + (picture - window).max(0.0)];
            let beside = x >= area.x + area.width || area.x >= x + side;
            let meets = |top: f64| y < top + height && top < y + side;
            !beside && tops.into_iter().any(meets)
        })
    };
    let counted: Vec<(Tile, f64)> = compared
        .alike
        .iter()
        .filter(|(tile, _)| compared.shown.contains(*tile) && !masked.contains(*tile))
        .filter(|(tile, _)| {
            let drift = compared.drift.get(tile.1 as usize).copied().unwrap_or(0);
            // Under a cover a row may seem to have moved to where none is.
            let is_covered = over(now.shot, **tile, 0) || over(now.shot, **tile, drift);
            !is_covered && !over(then.shot, **tile, 0)
        })
        .map(|(tile, alike)| (*tile, *alike))
        .collect();
    let changed: BTreeSet<Tile> = counted
        .iter()
        .filter(|(_, alike)| *alike < thresholds.tile_alike)
        .map(|(tile, _)| *tile)
        .collect();
    #[expect(
        clippy::cast_precision_loss,
        reason = "a picture has some thousand tiles"
    )]
    let share = changed.len() as f64 / counted.len().max(1) as f64;
    Difference {
        page: then.shot.page.clone(),
        screen: then.shot.screen,
        before: then.shot.name.clone(),
        after: now.shot.name.clone(),
        share,
        tiles: counted.len(),
        areas: areas(&changed),
        png: marked(&now.whole, &changed, &compared.drift),
    }
}

fn compare(then: &View<'_>, now: &View<'_>) -> Compared {
    let (width, height) = then.gray.dimensions();
    let (columns, rows) = (width / TILE, height / TILE);
    let mut compared = Compared {
        shown: BTreeSet::new(),
        alike: BTreeMap::new(),
        drift: Vec::new(),
    };
    for row in 0..rows {
        let drift = drift(&then.gray, &now.gray, row * TILE, compared.drift.last());
        compared.drift.push(drift);
        for column in 0..columns {
            let (x, y) = (column * TILE, row * TILE);
            let tile = (column, row);
            let one = |image: &GrayImage, drift: i64| crop(image, x, i64::from(y) + drift);
            let mut least = 1.0_f64;
            let mut is_shown = false;
            for (then, now) in then.small.iter().zip(&now.small) {
                let (then, now) = (one(then, 0), one(now, drift));
                is_shown |= has_ink(&then) || has_ink(&now);
                least = least.min(alike(&then, &now));
            }
            if is_shown || least < ALIKE_BY_ITSELF {
                compared.shown.insert(tile);
            }
            compared.alike.insert(tile, least);
        }
    }
    compared
}

/// A tile; what is outside of the picture is white.
fn crop(image: &GrayImage, left: u32, top: i64) -> GrayImage {
    GrayImage::from_fn(TILE, TILE, |x, y| {
        let line = u32::try_from(top + i64::from(y)).ok();
        line.and_then(|line| image.get_pixel_checked(left + x, line))
            .copied()
            .unwrap_or(image::Luma([255]))
    })
}

fn has_ink(tile: &GrayImage) -> bool {
    let least = tile.iter().min().copied().unwrap_or(0);
    let most = tile.iter().max().copied().unwrap_or(0);
    most - least >= INK
}

fn alike(then: &GrayImage, now: &GrayImage) -> f64 {
    if then == now {
        return 1.0;
    }
    image_compare::gray_similarity_structure(&Algorithm::MSSIMSimple, then, now)
        .map_or(0.0, |similarity| similarity.score)
}

/// How far what stands in this row of tiles has moved up or down.
fn drift(then: &GrayImage, now: &GrayImage, top: u32, above: Option<&i64>) -> i64 {
    let width = then.width().min(now.width());
    let pixel = |image: &GrayImage, x: u32, y: i64| {
        let line = u32::try_from(y).ok();
        line.and_then(|line| image.get_pixel_checked(x, line))
            .map_or(255, |pixel| pixel.0[0])
    };
    let cost = |drift: i64| {
        let mut sum = 0_u64;
        for y in 0..TILE {
            let line = i64::from(top + y);
            for x in (0..width).step_by(3) {
                let then = pixel(then, x, line);
                sum += u64::from(then.abs_diff(pixel(now, x, line + drift)));
            }
        }
        sum
    };
    let above = above.copied().unwrap_or(0);
    let near = cost(above);
    if near == 0 {
        return above;
    }
    let mut best = (near, above);
    for drift in std::iter::once(0).chain(-DRIFT..=DRIFT) {
        let now = cost(drift);
        // Only for a reason: rows of text are all a little alike.
        if now * 10 < best.0 * 9 {
            best = (now, drift);
        }
    }
    best.1
}

/// Changed tiles that touch, as areas.
fn areas(changed: &BTreeSet<Tile>) -> Vec<Area> {
    let mut left = changed.clone();
    let mut areas = Vec::new();
    while let Some(first) = left.pop_first() {
        let (mut from, mut to) = (first, first);
        let mut waiting = vec![first];
        while let Some(tile) = waiting.pop() {
            from = (from.0.min(tile.0), from.1.min(tile.1));
            to = (to.0.max(tile.0), to.1.max(tile.1));
            for next in around(tile) {
                if left.remove(&next) {
                    waiting.push(next);
                }
            }
        }
        let side = f64::from(TILE * SCALE);
        areas.push(Area {
            x: f64::from(from.0) * side,
            y: f64::from(from.1) * side,
            width: f64::from(to.0 - from.0 + 1) * side,
            height: f64::from(to.1 - from.1 + 1) * side,
        });
    }
    areas.sort_by(|one, other| (other.width * other.height).total_cmp(&(one.width * one.height)));
    areas.truncate(AREAS);
    areas
}

/// The picture with changed tiles in red.
fn marked(whole: &RgbImage, changed: &BTreeSet<Tile>, drift: &[i64]) -> Vec<u8> {
    if changed.is_empty() {
        return Vec::new();
    }
    let mut marked = whole.clone();
    let side = TILE * SCALE;
    for (column, row) in changed {
        let drift = drift.get(*row as usize).copied().unwrap_or(0);
        let top = i64::from(row * side) + drift * i64::from(SCALE);
        for y in 0..side {
            let Ok(line) = u32::try_from(top + i64::from(y)) else {
                continue;
            };
            for x in 0..side {
                if let Some(pixel) = marked.get_pixel_mut_checked(column * side + x, line) {
                    let Rgb([_, green, blue]) = *pixel;
                    *pixel = Rgb([255, green / 2, blue / 2]);
                }
            }
        }
    }
    let mut png = Vec::new();
    let written = marked.write_to(&mut Cursor::new(&mut png), ImageFormat::Png);
    if written.is_err() {
        png.clear();
    }
    png
}

#[cfg(test)]
mod tests;
