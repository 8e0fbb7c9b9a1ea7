//! Parse, wire together, run.

mod agent;
mod connections;
mod copies;
mod data;
mod forwarded;
mod http;
mod instruments;
mod listener;
mod logging;
mod opened;
mod presence;
mod reload;
mod rotation;
mod serve;
mod stack;
mod wire;

use pressroom_cli::{
    Cli, Command, Exit, Failure, Printer,
    commands::{self, agent::Agent, config::ConfigCommand},
};
use pressroom_fleet::Selecting;
use reload::Reload;
use std::{ffi::OsString, future::Future, process::ExitCode};

fn main() -> ExitCode {
    let mut printer = Printer::of_process();
    let args: Vec<OsString> = std::env::args_os().collect();
    let cli = match pressroom_cli::parse(&args, &mut printer) {
        Ok(cli) => cli,
        Err(exit) => return exit.into(),
    };
    // The agent has threads of its own and must stay small: no runtime, no configuration.
    match &cli.command {
        Command::Agent(Agent::Serve(serve)) => return pressroom_agent::stdio(&serve.home),
        Command::Agent(Agent::Cage { description }) => return pressroom_agent::cage(description),
        _ => {}
    }
    printer.set_json(cli.json);
    printer.set_quiet(cli.quiet);
    match run(cli, &mut printer) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            printer.failure(&failure);
            failure.exit().into()
        }
    }
}

fn run(cli: Cli, printer: &mut Printer) -> Result<Exit, Failure> {
    let sources = cli.sources(data::is_root());
    match cli.command {
        Command::Completions(completions) => {
            completions.run(Cli::line(), printer);
            Ok(Exit::Done)
        }
        Command::Config(ConfigCommand::Show(show)) => {
            show.run(&sources.load()?, printer);
            Ok(Exit::Done)
        }
        Command::Serve(serve) => {
            let config = sources.load()?;
            let filter = logging::for_server(&config.log)?;
            let reload = Reload { sources, filter };
            on_runtime(serve::run(&config, serve.role, reload))?
        }
        Command::Hosting(verb) => {
            let config = sources.load()?;
            logging::for_command(&config)?;
            on_runtime(unless_interrupted(stack::run(verb, &config, printer)))?
        }
        Command::Data(verb) => {
            let config = sources.load()?;
            logging::for_command(&config)?;
            on_runtime(unless_interrupted(copies::run(verb, &config, printer)))?
        }
        Command::Fleet(command) => {
            let config = sources.load()?;
            logging::for_command(&config)?;
            let work = async {
                let parts = wire::open(&config, Selecting::Directly).await?;
                commands::run(command, &parts.fleet, printer).await
            };
            on_runtime(unless_interrupted(work))?
        }
        Command::Agent(_) => Ok(Exit::Usage),
    }
}

fn on_runtime<T>(work: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::local("no threads can be started", &error))?;
    Ok(runtime.block_on(work))
}

/// Ctrl-C ends a command without a word, and whatever it asked for goes on; unless it
/// listens for that itself.
async fn unless_interrupted(
    work: impl Future<Output = Result<Exit, Failure>>,
) -> Result<Exit, Failure> {
    let interrupted =
        async { while tokio::signal::ctrl_c().await.is_ok() && commands::minds_interruption() {} };
    tokio::select! {
        ended = work => ended,
        () = interrupted => Ok(Exit::Interrupted),
    }
}
