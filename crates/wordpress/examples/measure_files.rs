//! Times packing of a tree against `tar | zstd -3 -T0`; `cargo run --release --example measure_files -- DIR`.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a program for people"
)]
use pressroom_wordpress::{
    Home, Watch,
    archive::{Format, Limits, PackOptions, PackerOptions, TreeOptions, pack, verify},
};
use std::{
    fs::File,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

fn main() {
    let dir = std::env::args().nth(1).unwrap();
    let dir = Path::new(&dir).canonicalize().unwrap();
    let home = Home::open(dir.parent().unwrap()).unwrap();
    let source = dir.file_name().unwrap().to_str().unwrap().to_owned();
    let out = std::env::temp_dir().join("measure.tar.zst");
    let mut best = [Duration::MAX; 3];
    let cpu = || {
        // User and system time of this process and its children, in ticks.
        let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
        let fields: Vec<u64> = stat
            .rsplit(')')
            .next()
            .unwrap()
            .split_whitespace()
            .skip(11)
            .take(4)
            .map(|field| field.parse().unwrap())
            .collect();
        (fields[0] + fields[1], fields[2] + fields[3])
    };
    let mut zip_ticks = 0;
    for round in 0..9 {
        let rival = Instant::now();
        let done = Command::new("sh")
            .arg("-c")
            .arg(format!(
                "tar -C '{}' -cf - '{source}' | zstd -q -3 -T0 -f -o '{}.rival'",
                dir.parent().unwrap().display(),
                out.display()
            ))
            .status()
            .unwrap();
        assert!(done.success());
        let rival = rival.elapsed();
        for (at, format) in [(1, Format::TarZst), (2, Format::Zip)] {
            let before = cpu().0;
            let ours = Instant::now();
            let options = PackOptions {
                packer: PackerOptions::new(format),
                prefix: "files".into(),
                tree: TreeOptions {
                    usual_excludes: false,
                    ..TreeOptions::new(&source)
                },
            };
            let path = out.with_extension(format!("{at}"));
            let manifest = pack(
                &home,
                &options,
                &mut File::create(&path).unwrap(),
                &Watch::unbounded(),
            )
            .unwrap();
            let ours = ours.elapsed();
            if format == Format::Zip {
                zip_ticks += cpu().0 - before;
            }
            best[at] = best[at].min(ours);
            if round == 0 {
                println!(
                    "{:?} {} bytes packed",
                    manifest.totals,
                    path.metadata().unwrap().len()
                );
            }
        }
        best[0] = best[0].min(rival);
    }
    let (own, children) = cpu();
    println!(
        "processor time of nine rounds, in ticks: ours {}, rival {children}",
        own - zip_ticks
    );
    let checked = Instant::now();
    let limits = Limits::default();
    verify(
        &mut File::open(out.with_extension("1")).unwrap(),
        &limits,
        &Watch::unbounded(),
    )
    .unwrap();
    println!(
        "tar|zstd {:?} ({} bytes), ours tar.zst {:?} = {:.2}x, zip {:?}; verify {:?}",
        best[0],
        std::fs::metadata(format!("{}.rival", out.display()))
            .unwrap()
            .len(),
        best[1],
        best[0].as_secs_f64() / best[1].as_secs_f64(),
        best[2],
        checked.elapsed(),
    );
}
