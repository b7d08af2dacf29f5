//! The manual page and what shells complete: both made of the definition that the command line is
//! read by, and of the keys in force.

use clap_complete::Shell;
use clap_mangen::roff::{Roff, roman};

use crate::config::Config;
use crate::run::failure::Failure;
use crate::run::setup;

/// The page, in the form that `man` reads.
pub(super) fn page(config: &Config) -> Result<String, Failure> {
    let command = super::command();
    let mut out = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut out).map_err(Failure::Output)?;
    for sub in command.get_subcommands() {
        section(&format!("hamatop {}", sub.get_name()), sub, &mut out)?;
    }
    let mut keys = Roff::new();
    keys.control("SH", ["KEYS"]);
    keys.control("nf", []);
    for line in setup::keys(config)?.lines() {
        keys.text([roman(line)]);
    }
    keys.control("fi", []);
    keys.to_writer(&mut out).map_err(Failure::Output)?;
    Ok(String::from_utf8_lossy(&out).into_owned())
}

/// The options of a command: those that all have stand at the top of the page.
fn section(name: &str, command: &clap::Command, out: &mut Vec<u8>) -> Result<(), Failure> {
    let mut roff = Roff::new();
    roff.control("SH", [name.to_uppercase().as_str()]);
    if let Some(about) = command.get_about() {
        roff.text([roman(about.to_string())]);
    }
    for arg in command.get_arguments().filter(|a| !a.is_global_set()) {
        roff.control("TP", []);
        let values: Vec<_> =
            arg.get_value_names().unwrap_or_default().iter().map(ToString::to_string).collect();
        let flag = arg.get_long().map(|l| format!("--{l} ")).unwrap_or_default();
        roff.text([clap_mangen::roff::bold(format!("{flag}{}", values.join(" ")))]);
        roff.text([roman(arg.get_help().map(ToString::to_string).unwrap_or_default())]);
    }
    roff.to_writer(out).map_err(Failure::Output)
}

/// The script for a shell.
pub(super) fn completions(shell: Shell) -> String {
    let mut out = Vec::new();
    clap_complete::generate(shell, &mut super::command(), "hamatop", &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Sources;

    #[test]
    fn the_page_has_every_command_option_and_key() {
        let config = Config::load(&Sources::default()).unwrap();
        let page = page(&config).unwrap();
        for command in super::super::command().get_subcommands() {
            let heading = format!("HAMATOP {}", command.get_name().to_uppercase());
            assert!(page.contains(&heading), "{heading}");
        }
        // Hyphens are escaped, so that they stay hyphens.
        assert!(page.contains("\\-\\-watchlist") && page.contains("\\-\\-min\\-score"));
        for line in setup::keys(&config).unwrap().lines() {
            let about = line.rsplit("  ").next().unwrap();
            assert!(page.contains(about), "{line}");
        }
    }

    #[test]
    fn every_shell_completes_every_command() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish, Shell::PowerShell, Shell::Elvish] {
            let script = completions(shell);
            for command in super::super::command().get_subcommands() {
                assert!(script.contains(command.get_name()), "{shell}: {}", command.get_name());
            }
        }
    }
}
