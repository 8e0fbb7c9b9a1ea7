//! Dumps a database to standard output, or restores one from standard input:
//! `database dump|restore|checksum SOCKET DATABASE USER PASSWORD PREFIX [HOME]`. The
//! report goes to standard error. Made for measuring.

use pressroom_wordpress::{Watch, config::Settings, database};
use std::io::{Write, stderr, stdout};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().collect();
    let [_, act, socket, name, user, password, prefix, ..] = args.as_slice() else {
        return Err("dump|restore|checksum SOCKET DATABASE USER PASSWORD PREFIX [HOME]".into());
    };
    let settings = Settings {
        db_name: Some(name.clone()),
        db_user: Some(user.clone()),
        db_password: Some(password.clone()),
        db_host: Some(format!("localhost:{socket}")),
        table_prefix: Some(prefix.clone()),
        ..Settings::default()
    };
    let watch = Watch::unbounded();
    let said = match act.as_str() {
        "dump" => {
            let options = database::dump::DumpOptions {
                scope: database::dump::Scope::Database,
                ..Default::default()
            };
            let report = database::dump::dump(&settings, &options, &mut stdout(), &watch)?;
            serde_json::to_string(&report)?
        }
        "restore" => {
            let home = args.get(7).ok_or("a home")?;
            let home = pressroom_wordpress::Home::open(std::path::Path::new(home))?;
            let epoch = pressroom_base::Epoch::new(1);
            pressroom_wordpress::fence::take(&home, epoch, &watch)?;
            let options = database::restore::RestoreOptions {
                others: database::restore::OtherTables::Restore,
                connections: std::env::var("CONNECTIONS").map_or(Ok(0), |count| count.parse())?,
                ..Default::default()
            };
            let mut input = std::io::stdin().lock();
            let report =
                database::restore::restore(&home, epoch, &settings, &options, &mut input, &watch)?;
            if let Some(aside) = &report.aside {
                database::restore::drop_aside(&home, epoch, &settings, aside, &watch)?;
            }
            serde_json::to_string(&report)?
        }
        "checksum" => serde_json::to_string(&database::checksums(&settings, &[], &watch)?)?,
        _ => return Err("unknown act".into()),
    };
    Ok(writeln!(stderr(), "{said}")?)
}
