//! What is printed where, the log, and Ctrl-C.

use crate::cli::{Color, OutputArgs, OutputFormat};
use crate::report::json::JsonLines;
use crate::report::plain::Plain;
use crate::report::{Human, Log, Outcome, Sink};
use std::cell::Cell;
use std::io::{IsTerminal, Write};
use std::rc::Rc;

/// What is printed where.
pub struct Console {
    /// How events are printed.
    pub format: OutputFormat,
    /// Whether colours are used.
    pub styled: bool,
    /// Whether only the result is told.
    pub quiet: bool,
    /// Whether more is told.
    pub verbose: bool,
}

impl Console {
    /// As the command line says.
    pub fn new(args: &OutputArgs) -> Self {
        let format = args.output.unwrap_or(if std::io::stderr().is_terminal() {
            OutputFormat::Human
        } else {
            OutputFormat::Plain
        });
        let styled = match args.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none()
            }
        };
        Self {
            format,
            styled: styled && format == OutputFormat::Human,
            quiet: args.quiet,
            verbose: args.verbose,
        }
    }

    /// What draws the events of a run with this many steps.
    pub fn sink(&self, steps: usize) -> Option<Box<dyn Sink>> {
        match self.format {
            OutputFormat::Json => Some(Box::new(JsonLines(std::io::stdout()))),
            _ if self.quiet => None,
            OutputFormat::Human => Some(Box::new(Human::new(steps, self.verbose))),
            OutputFormat::Plain => Some(Box::new(Plain::new(std::io::stdout(), self.verbose))),
        }
    }

    /// Prints a text for people.
    pub fn say(&self, text: &str) {
        if self.format != OutputFormat::Json {
            let _ = write!(std::io::stdout(), "{text}");
        }
    }
}

/// The log of a run; without one the run goes on.
pub fn open_log(args: &OutputArgs) -> Option<Log> {
    match Log::open(args.log_file.as_deref()) {
        Ok(log) => Some(log),
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "provision: no log is written: {error}");
            None
        }
    }
}

/// The first Ctrl-C ends the run after the running steps, the second at once.
pub async fn watch_signals(interrupt: Rc<Cell<bool>>) {
    let Ok(mut terminate) =
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
    else {
        return;
    };
    loop {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        if interrupt.replace(true) {
            std::process::exit(i32::from(Outcome::Interrupted.exit_code()));
        }
        let _ = writeln!(
            std::io::stderr(),
            "provision: stopping after the running steps; once more to stop at once"
        );
    }
}
