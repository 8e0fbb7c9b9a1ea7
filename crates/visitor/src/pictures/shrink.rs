//! Pictures made small enough to be kept.

use image::{DynamicImage, ImageFormat, ImageReader, Limits, imageops::FilterType};
use std::io::Cursor;

/// A picture that is larger is none of ours.
const WIDEST: u32 = 4000;
const HIGHEST: u32 = 10_000;
/// Narrower than this nothing is to be seen on it.
const NARROWEST: u32 = 160;

/// A PNG file of at most `limit` bytes that shows the same: the picture itself where it is
/// small enough, otherwise one of half its size, or a quarter. `None` where the file is no
/// picture, or nothing would be left of it. It computes: call it where that blocks nobody.
pub fn shrink(png: &[u8], limit: usize) -> Option<Vec<u8>> {
    let mut reader = ImageReader::with_format(Cursor::new(png), ImageFormat::Png);
    let mut limits = Limits::default();
    limits.max_image_width = Some(WIDEST);
    limits.max_image_height = Some(HIGHEST);
    reader.limits(limits);
    if png.len() <= limit {
        // Only what is a picture is shown as one.
        let (width, height) = reader.into_dimensions().ok()?;
        return (width > 0 && height > 0).then(|| png.to_vec());
    }
    let mut smaller = reader.decode().ok()?.into_rgb8();
    loop {
        let (width, height) = (smaller.width() / 2, smaller.height() / 2);
        if width < NARROWEST || height == 0 {
            return None;
        }
        smaller = image::imageops::resize(&smaller, width, height, FilterType::Triangle);
        let mut png = Vec::new();
        DynamicImage::from(smaller.clone())
            .write_to(&mut Cursor::new(&mut png), ImageFormat::Png)
            .ok()?;
        if png.len() <= limit {
            return Some(png);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{Rgb, RgbImage};

    fn png(image: RgbImage) -> Vec<u8> {
        let mut png = Vec::new();
        DynamicImage::from(image)
            .write_to(&mut Cursor::new(&mut png), ImageFormat::Png)
            .unwrap();
        png
    }

    /// Nothing that could be packed: a PNG of it is as large as its pixels.
    fn noise(width: u32, height: u32) -> RgbImage {
        let mut state = 1_u32;
        RgbImage::from_fn(width, height, |_, _| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let [a, b, c, _] = state.to_be_bytes();
            Rgb([a, b, c])
        })
    }

    #[test]
    fn a_small_picture_stays_and_a_large_one_is_made_smaller() {
        let small = png(RgbImage::from_pixel(1280, 900, Rgb([250, 250, 250])));
        assert_eq!(shrink(&small, 64 << 10), Some(small));
        let large = png(noise(1280, 900));
        assert!(large.len() > 1 << 20);
        let kept = shrink(&large, 1 << 20).unwrap();
        assert!(kept.len() <= 1 << 20);
        let read = image::load_from_memory_with_format(&kept, ImageFormat::Png).unwrap();
        assert_eq!((read.width(), read.height()), (640, 450));
    }

    #[test]
    fn what_is_no_picture_is_not_kept() {
        assert_eq!(shrink(b"<html>", 100), None);
        assert_eq!(shrink(&[0; 200], 100), None);
        // Nothing of it would be left to see.
        assert_eq!(shrink(&png(noise(200, 200)), 100), None);
    }
}
