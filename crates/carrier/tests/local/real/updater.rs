//! WordPress' own automatic updater, held off and let be.

use super::lab::{EPOCH, Real};
use pressroom_wordpress::database::{
    UpdaterLock,
    restore_point::{MergeOptions, PointOptions},
};
use std::time::{Duration, Instant};

/// Who holds it off here.
const HOLDER: &str = "123456789012345";
/// Another, who does so after that one is dead.
const OTHER: &str = "7";

/// Has WordPress update itself, and says how often it asked wordpress.org for what is new: it
/// asks of plugins before anything else.
const RUN: &str = r"
require_once ABSPATH . 'wp-admin/includes/admin.php';
require_once ABSPATH . 'wp-admin/includes/class-wp-upgrader.php';
$asked = 0;
add_filter( 'pre_http_request', function () use ( &$asked ) { $asked++; return new WP_Error( 'http_request_failed', 'offline' ); } );
add_filter( 'automatic_updater_disabled', '__return_false' );
delete_site_transient( 'update_plugins' ); delete_site_transient( 'update_themes' ); delete_site_transient( 'update_core' );
$by_itself = defined( 'PRESSROOM_TEST_MAYBE' );
if ( $by_itself ) { wp_maybe_auto_update(); } else { ( new WP_Automatic_Updater() )->run(); }
echo $asked;
";

/// How often WordPress asked when it was to update itself.
fn asked(real: &Real) -> u32 {
    let run = |code: &str| {
        let told = real.site.php(code).unwrap();
        told.trim().parse::<u32>().unwrap()
    };
    let direct = run(RUN);
    let maybe = run(&format!("define( 'PRESSROOM_TEST_MAYBE', 1 );{RUN}"));
    assert_eq!(direct > 0, maybe > 0, "{direct} and {maybe}");
    direct
}

async fn hold(real: &Real, holder: &str) -> UpdaterLock {
    let held = real.session.hold_updater(EPOCH, real.root(), holder).await;
    held.unwrap().unwrap()
}

async fn release(real: &Real, holder: &str) {
    let released = real.session.release_updater(EPOCH, real.root(), holder);
    released.await.unwrap();
}

fn lock(real: &Real) -> String {
    real.option("auto_updater.lock")
}

/// Holds it off until the lock has another value: a second later.
async fn renew(real: &Real) -> String {
    let before = lock(real);
    let late = Instant::now() + Duration::from_secs(10);
    loop {
        let held = hold(real, HOLDER).await;
        assert_eq!(held, UpdaterLock::Caller { taken_over: false });
        let now = lock(real);
        if now != before {
            return now;
        }
        assert!(Instant::now() < late, "{now}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// WordPress does not update itself while it is held off, and does so afterwards.
pub async fn held_off(real: &Real) {
    assert!(asked(real) > 0, "it updates itself");
    let held = hold(real, HOLDER).await;
    assert_eq!(held, UpdaterLock::Caller { taken_over: false });
    assert!(
        lock(real).ends_with(&format!(".{HOLDER}")),
        "{}",
        lock(real)
    );
    assert_eq!(asked(real), 0, "it is held off");
    let renewed = renew(real).await;
    assert_eq!(lock(real), renewed);
    assert_eq!(asked(real), 0, "it is still held off");

    // Somebody else neither takes it nor lets it go.
    let other = hold(real, OTHER).await;
    assert!(
        matches!(other, UpdaterLock::Other { since } if since > 1_600_000_000),
        "{other:?}"
    );
    release(real, OTHER).await;
    assert_eq!(lock(real), renewed);

    // Whoever died holds it off for an hour, and no longer.
    let age = |seconds: u32| {
        real.sql(&format!(
            "UPDATE wp_options SET option_value = CONCAT(UNIX_TIMESTAMP() - {seconds}, '.{HOLDER}') \
             WHERE option_name = 'auto_updater.lock'"
        ));
    };
    age(3500);
    assert_eq!(asked(real), 0, "fifty-eight minutes later");
    age(3700);
    assert!(asked(real) > 0, "an hour later");
    assert_eq!(lock(real), "", "WordPress itself let go of it");
    hold(real, HOLDER).await;
    age(3700);
    let taken = hold(real, OTHER).await;
    assert_eq!(taken, UpdaterLock::Caller { taken_over: true });
    release(real, HOLDER).await;
    assert_ne!(lock(real), "");
    release(real, OTHER).await;
    assert_eq!(lock(real), "");
    assert!(asked(real) > 0, "it is let be");

    // WordPress' own is respected.
    real.sql("INSERT INTO wp_options (option_name, option_value) VALUES ('auto_updater.lock', UNIX_TIMESTAMP())");
    assert!(matches!(
        hold(real, HOLDER).await,
        UpdaterLock::Other { .. }
    ));
    release(real, HOLDER).await;
    assert_ne!(lock(real), "");
    real.sql("DELETE FROM wp_options WHERE option_name = 'auto_updater.lock'");
    nobody_s_work(real).await;
}

/// A lock that is prolonged between the copies of a restore point is no work of anybody's.
async fn nobody_s_work(real: &Real) {
    let site = || real.site_ref();
    hold(real, HOLDER).await;
    let point = real
        .session
        .take_point(EPOCH, site(), PointOptions::default())
        .await
        .unwrap();
    let name = real.option("blogname");
    real.site
        .php("update_option('blogname', 'updated');")
        .unwrap();
    renew(real).await;
    real.session
        .seal_point(EPOCH, site(), &point.handle)
        .await
        .unwrap();
    let last = renew(real).await;
    let merged = real
        .session
        .merge_point(EPOCH, site(), &point.handle, MergeOptions::default())
        .await
        .unwrap();
    assert!(merged.verified, "{merged:#?}");
    assert_eq!(merged.conflicts(), 0, "{merged:#?}");
    assert_eq!(real.option("blogname"), name);
    assert_eq!(lock(real), last, "it stays as it is");
    real.session
        .drop_point(EPOCH, site(), &point.handle)
        .await
        .unwrap();
    release(real, HOLDER).await;
    assert_eq!(lock(real), "");
}
