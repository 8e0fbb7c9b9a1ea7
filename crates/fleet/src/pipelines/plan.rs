//! What a pipeline will do: each target's exact versions, frozen, and the order of work.

use super::{course::Course, exchange::Piece, view::CORE};
use crate::{Error, Result, components::Newer};
use pressroom_base::Kind;
use pressroom_phpdata::version::compare;
use pressroom_providers::packages::{Package, PackageKind, Standing};
use pressroom_store::{TargetPatch, TargetRow, TargetState};
use pressroom_wordpress::inventory::{FoundComponent, Survey};
use std::cmp::Ordering;

/// What was made out of one target.
enum Made {
    /// It goes from one version to the other.
    Delta(Delta),
    /// There is nothing to do.
    Nothing(String),
    /// It cannot be done.
    Impossible(String),
}

struct Delta {
    name: String,
    from: String,
    to: String,
    active: Option<bool>,
}

/// Freezes each target that is open: from which version to which. Says how many will be
/// updated.
pub(super) async fn freeze(course: &Course<'_>, survey: &Survey) -> Result<usize> {
    let mut ranked = Vec::new();
    for target in course.targets().await? {
        course.ctx.check()?;
        let made = match delta(course, survey, &target).await {
            Ok(made) => made,
            // What concerns one target ends that one.
            Err(error) if error.kind() != Kind::Internal => {
                Made::Impossible(error.message().to_owned())
            }
            Err(error) => return Err(error),
        };
        let patch = match &made {
            Made::Delta(delta) => TargetPatch {
                name: Some(delta.name.clone()),
                from_version: Some(delta.from.clone()),
                to_version: Some(delta.to.clone()),
                active: delta.active,
                status: Some(TargetState::Pending),
                ..TargetPatch::default()
            },
            Made::Nothing(why) => ended(TargetState::Skipped, why),
            Made::Impossible(why) => ended(TargetState::Failed, why),
        };
        let row = course.set(&target, patch).await?;
        let label = super::view::label(&row.kind, &row.slug);
        match &made {
            Made::Delta(delta) => {
                course
                    .ctx
                    .line(format!("{label}: from {} to {}", delta.from, delta.to));
                ranked.push((rank(&row, delta), row));
            }
            Made::Nothing(why) | Made::Impossible(why) => {
                course.ctx.line(format!("{label}: {why}"));
                ranked.push((u8::MAX, row));
            }
        }
    }
    // Stable: of one rank, the order in which they were asked for.
    ranked.sort_by_key(|(rank, _)| *rank);
    let count = ranked.iter().filter(|(rank, _)| *rank < u8::MAX).count();
    for (ordinal, (_, row)) in (1..).zip(ranked) {
        let patch = TargetPatch {
            ordinal: Some(ordinal),
            ..TargetPatch::default()
        };
        course.set(&row, patch).await?;
    }
    Ok(count)
}

fn ended(status: TargetState, why: &str) -> TargetPatch {
    TargetPatch {
        status: Some(status),
        error: Some(why.to_owned()),
        ..TargetPatch::default()
    }
}

/// The least risky first: what is not in use, then small steps before large ones, then the
/// theme in use, and WordPress itself last.
fn rank(target: &TargetRow, delta: &Delta) -> u8 {
    match (target.kind.as_str(), delta.active) {
        (CORE, _) => 6,
        ("plugin", Some(false)) => 0,
        ("theme", Some(false)) => 1,
        ("theme", _) => 5,
        _ => 2 + step(&delta.from, &delta.to),
    }
}

/// 0 for another patch, 1 for another minor, 2 for another major version.
fn step(from: &str, to: &str) -> u8 {
    let numbers = |version: &str| -> Vec<u64> {
        version
            .split(|c: char| !c.is_ascii_digit())
            .map(|part| part.parse().unwrap_or(0))
            .chain([0, 0])
            .take(2)
            .collect()
    };
    let (from, to) = (numbers(from), numbers(to));
    if from.first() == to.first() {
        u8::from(from.get(1) != to.get(1))
    } else {
        2
    }
}

async fn delta(course: &Course<'_>, survey: &Survey, target: &TargetRow) -> Result<Made> {
    if target.kind == CORE {
        return core(course, survey, target).await;
    }
    let piece = Piece {
        kind: &target.kind,
        slug: &target.slug,
    };
    let Some(found) = piece.found(&survey.inspection) else {
        return Ok(Made::Impossible("it is not installed any more".into()));
    };
    let to = match &target.wanted {
        Some(wanted) => match older_or_there(wanted, &found.version) {
            Some(made) => return Ok(made),
            None => wanted.clone(),
        },
        None => match course.fleet.newer_version(found).await {
            Newer::Is(version) => version,
            Newer::None => {
                let text = format!("{} is the newest version offered", found.version);
                return Ok(Made::Nothing(text));
            }
            Newer::Unknown(why) => {
                let text = format!("whether there is something newer is not known: {why}");
                return Ok(Made::Impossible(text));
            }
        },
    };
    // Had now, so that nothing is missing half-way.
    package_of(course, target, Some(found), &to).await?;
    Ok(Made::Delta(Delta {
        name: found.name.clone(),
        from: found.version.clone(),
        to,
        active: found.active,
    }))
}

async fn core(course: &Course<'_>, survey: &Survey, target: &TargetRow) -> Result<Made> {
    let Some(from) = survey
        .inspection
        .version
        .clone()
        .filter(|version| !version.is_empty())
    else {
        return Ok(Made::Impossible("the site's version cannot be read".into()));
    };
    let to = if let Some(wanted) = &target.wanted {
        match older_or_there(wanted, &from) {
            Some(made) => return Ok(made),
            None => wanted.clone(),
        }
    } else {
        let (packages, slug) = (&course.fleet.parts.packages, PackageKind::CORE_SLUG);
        let standing = packages.standing(PackageKind::Core, slug, Some(&from));
        match standing.await? {
            Standing::Older(offer) => offer.version,
            Standing::Newest => {
                let text = format!("{from} is the newest version offered");
                return Ok(Made::Nothing(text));
            }
            Standing::Unknown => {
                return Ok(Made::Impossible("no package source has WordPress".into()));
            }
        }
    };
    package_of(course, target, None, &to).await?;
    Ok(Made::Delta(Delta {
        name: "WordPress".into(),
        from,
        to,
        active: Some(true),
    }))
}

fn older_or_there(wanted: &str, there: &str) -> Option<Made> {
    match compare(wanted, there) {
        Ordering::Equal => Some(Made::Nothing(format!("{there} is there already"))),
        Ordering::Less => Some(Made::Impossible(format!(
            "{wanted} is older than {there}, which is there"
        ))),
        Ordering::Greater => None,
    }
}

/// The package of a target at a version, verified and on this machine.
pub(super) async fn package_of(
    course: &Course<'_>,
    target: &TargetRow,
    found: Option<&FoundComponent>,
    version: &str,
) -> Result<Package> {
    let packages = &course.fleet.parts.packages;
    let had = match found {
        None => packages.core(Some(version), &course.site.locale).await,
        Some(found) => {
            let (kind, slug) = crate::components::source(found);
            packages.fetch(kind, slug, Some(version)).await
        }
    };
    let label = super::view::label(&target.kind, &target.slug);
    let package = had.map_err(|error| {
        Error::new(
            Kind::Remote,
            format!("the package of {label} {version} could not be had: {error}"),
        )
        .with_source(error)
    })?;
    if package.version != version {
        return Err(Error::new(
            Kind::Remote,
            format!(
                "what is offered as {label} {version} says version {}",
                package.version
            ),
        ));
    }
    Ok(package)
}

#[cfg(test)]
mod tests {
    use super::step;

    #[test]
    fn steps_are_small_and_large() {
        assert_eq!(step("1.0.0", "1.0.1"), 0);
        assert_eq!(step("1.0", "1.0.1"), 0);
        assert_eq!(step("1.0", "1.1"), 1);
        assert_eq!(step("1.9", "2.0"), 2);
        assert_eq!(step("5.0.0-beta", "5.0.0"), 0);
        assert_eq!(step("", "1"), 2);
    }
}
