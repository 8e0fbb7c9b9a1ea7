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

/// Checksums of `<source>/a`, a WordPress, against the same bytes hashed by as many threads.
fn checksums(home: &Home, source: &str) {
    use md5::{Digest, Md5};
    let root = home.path().join(source).join("a");
    let mut files = Vec::new();
    let mut dirs = vec![root.clone()];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path);
            } else if !path.starts_with(root.join("wp-content")) {
                files.push(path);
            }
        }
    }
    files.sort();
    let list: std::collections::BTreeMap<String, String> = files
        .iter()
        .map(|path| {
            let name = path
                .strip_prefix(&root)
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned();
            let sum = Md5::digest(std::fs::read(path).unwrap());
            (name, sum.iter().map(|byte| format!("{byte:02x}")).collect())
        })
        .collect();
    let list = serde_json::to_vec(&serde_json::json!({ "checksums": list })).unwrap();
    let mut best = [Duration::MAX; 2];
    let mut report = None;
    for _ in 0..20 {
        let floor = Instant::now();
        let next = std::sync::atomic::AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..std::thread::available_parallelism().unwrap().get() {
                scope.spawn(|| {
                    while let Some(path) =
                        files.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
                    {
                        std::hint::black_box(Md5::digest(std::fs::read(path).unwrap()));
                    }
                });
            }
        });
        best[0] = best[0].min(floor.elapsed());
        let ours = Instant::now();
        let request = pressroom_wordpress::checksums::ChecksumRequest {
            root: format!("{source}/a"),
            subject: pressroom_wordpress::checksums::Subject::Core,
            expected: pressroom_wordpress::checksums::Expected::from_json(&mut list.as_slice())
                .unwrap(),
        };
        report = Some(
            pressroom_wordpress::checksums::verify(home, &request, &Watch::unbounded()).unwrap(),
        );
        best[1] = best[1].min(ours.elapsed());
    }
    let report = report.unwrap();
    println!(
        "checksums: {} files, {} bytes, clean {}: floor {:?}, ours {:?} = {:.2}x of it",
        report.intact,
        report.bytes,
        report.is_clean(),
        best[0],
        best[1],
        best[0].as_secs_f64() / best[1].as_secs_f64()
    );
}

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
    checksums(&home, &source);
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
