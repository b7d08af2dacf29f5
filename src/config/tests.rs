use super::*;

fn sources(
    file: &str,
    env: &[(&str, &str)],
    dot: &[(&str, &str)],
    flags: &[(&'static str, &str)],
) -> Sources {
    let map = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
    Sources {
        flags: flags.iter().map(|(k, v)| (*k, (*v).to_owned())).collect(),
        env: map(env),
        dot_env: map(dot),
        file: Some((PathBuf::from("config.toml"), file.to_owned())),
        demo: false,
    }
}

fn error(file: &str, env: &[(&str, &str)], flags: &[(&'static str, &str)]) -> String {
    Config::load(&sources(file, env, &[], flags)).unwrap_err().to_string()
}

#[test]
fn the_stronger_source_wins() {
    let url = |file, env: &[_], dot: &[_], flags: &[_]| {
        let config = Config::load(&sources(file, env, dot, flags)).unwrap();
        (config.rest_url.unwrap(), config.origins["rest_url"].1.clone())
    };
    let file = "rest_url = 'http://file'\n";
    let name = "HAMATOP_REST_URL";
    assert_eq!(url(file, &[], &[], &[]), ("http://file".into(), Origin::File(1)));
    assert_eq!(url(file, &[], &[(name, "http://dot")], &[]), ("http://dot".into(), Origin::DotEnv));
    assert_eq!(
        url(file, &[(name, "http://env")], &[(name, "http://dot")], &[]),
        ("http://env".into(), Origin::Env)
    );
    let flag = [("rest_url", "http://flag/")];
    assert_eq!(url(file, &[(name, "http://env")], &[], &flag), ("http://flag".into(), Origin::Flag));
}

#[test]
fn the_sample_file_parses_back_to_the_defaults() {
    let sample = Config::load(&sources(&example(), &[], &[], &[])).unwrap();
    let bare = Config::load(&Sources::default()).unwrap();
    let values = |c: &Config| c.origins.iter().map(|(k, (v, _))| (*k, v.clone())).collect::<Vec<_>>();
    assert_eq!(values(&sample), values(&bare));
    assert_eq!(sample.preset, bare.preset);
}

#[test]
fn what_cannot_be_used_names_its_place_and_the_cure() {
    for (message, part) in [
        (error("intervals = '15m,7m'\n", &[], &[]), "config.toml:1: `intervals` has `7m`"),
        (error("\ntop = -3\n", &[], &[]), "config.toml:2: `top` needs a whole number from 0 to 2000"),
        (
            error("", &[("HAMATOP_WS_URL", "http://x")], &[]),
            "HAMATOP_WS_URL needs a URL that starts with ws://",
        ),
        (error("", &[], &[("market", "coinm")]), "--market has `coinm`"),
        (error("", &[], &[("market", ",")]), "--market needs"),
        (error("", &[], &[("clock_rate", "NaN")]), "--clock-rate needs a number"),
        (error("", &[], &[("rest_url", "http://u:p@h")]), "plain base URL"),
        (error("", &[], &[("preset", "quantdingr")]), "quantdinger"),
        (error("tpo = 3", &[], &[]), "config.toml:1: unknown key `tpo`; the nearest valid one is `top`"),
        (error("", &[], &[("top", "0")]), "--symbols"),
        (error("[presets.x]\nopen = 'EMX5'\n", &[], &[("preset", "x")]), "config.toml:2"),
    ] {
        assert!(message.contains(part), "{message}\n  lacks: {part}");
    }
}

#[test]
fn an_own_preset_is_found_and_its_name_tells_it_from_the_others() {
    let file = "[presets.mine]\nopen='EMA9'\nhigh='EMA9'\nlow='EMA9'\nclose='WMA9'\nma='SMA30'\n";
    let config = Config::load(&sources(file, &[], &[], &[("preset", "mine")])).unwrap();
    assert!(config.preset.name.starts_with("mine-"), "{}", config.preset.name);
    assert_eq!(config.preset.name.len(), "mine-".len() + 8);
}

#[test]
fn a_watchlist_is_found_by_its_name_and_a_wrong_name_says_which_there_are() {
    let file = "top = 0\n[watchlists]\nmajors = ['BTCUSDT', 'ETHUSDT']\nmine = ['ETHUSDT', '币安人生USDT']\n";
    let watched = |names| {
        let config = Config::load(&sources(file, &[], &[], &[("watchlist", names)])).unwrap();
        config.watched.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(watched("majors"), ["BTCUSDT", "ETHUSDT"]);
    assert_eq!(watched("majors, mine"), ["BTCUSDT", "ETHUSDT", "币安人生USDT"]);
    for (message, part) in [
        (
            error(file, &[], &[("watchlist", "majros")]),
            "no watchlist `majros`; did you mean `majors`? (there are majors, mine)",
        ),
        (error("", &[], &[("watchlist", "x")]), "no watchlist `x` (the config file has none"),
        (error("[watchlists]\na = 3\n", &[], &[]), "config.toml:2: `watchlists` holds lists of pairs"),
        (error("[watchlists]\na = ['A B']\n", &[], &[]), "config.toml:2: the watchlist `a` has `A B`"),
        (error("[watchlists]\na = []\n", &[], &[]), "config.toml:2: the watchlist `a` is empty"),
        (error("watchlist = 3\n", &[], &[]), "no watchlist `3`"),
    ] {
        assert!(message.contains(part), "{message}\n  lacks: {part}");
    }
}

#[test]
fn an_alias_belongs_to_a_symbol_and_can_be_typed() {
    let file = "[aliases]\n'币安人生USDT' = 'bianrensheng'\nBTCUSDT = ['bitcoin', 'xbt']\n";
    let config = Config::load(&sources(file, &[], &[], &[])).unwrap();
    let aliases: Vec<_> = config.aliases.iter().map(|(s, a)| format!("{s} {a}")).collect();
    assert_eq!(aliases, ["BTCUSDT bitcoin", "BTCUSDT xbt", "币安人生USDT bianrensheng"]);
    for (file, part) in [
        (
            "[alias]\nBTCUSDT = 'x'\n",
            "config.toml:1: unknown key `alias`; the nearest valid one is `aliases`",
        ),
        ("aliases = 3\n", "config.toml:1: `aliases` holds names to type"),
        ("[aliases]\nBTCUSDT = 3\n", "config.toml:2: `aliases` holds names to type"),
        ("[aliases]\nBTCUSDT = []\n", "config.toml:2: the alias of `BTCUSDT` is empty"),
        ("[aliases]\nBTCUSDT = 'a b'\n", "config.toml:2: `BTCUSDT` has the alias `a b`: an alias has"),
        ("[aliases]\nBTCUSDT = 'a\u{1b}'\n", "config.toml:2"),
        ("[aliases]\n'A B' = 'x'\n", "config.toml:2: `aliases` names `A B`: a symbol has"),
    ] {
        let message = error(file, &[], &[]);
        assert!(message.contains(part) && !message.contains('\u{1b}'), "{message}\n  lacks: {part}");
    }
}

#[test]
fn the_demo_brings_its_own_exchange() {
    let file = "market = 'spot'\ntop = 1\nintervals = '1d'\nascii = true\n";
    let env = [("HAMATOP_REST_URL", "nonsense"), ("HAMATOP_LOG", "debug")];
    let mut sources = sources(file, &env, &[], &[("symbols", "BTCUSDT")]);
    sources.demo = true;
    let config = Config::load(&sources).unwrap();
    let bare = Config::load(&Sources::default()).unwrap();
    assert_eq!((&config.markets, config.top, &config.intervals), (&bare.markets, bare.top, &bare.intervals));
    assert_eq!(config.rest_url, None);
    assert_eq!(config.symbols.len(), 1, "a flag is meant");
    assert!(config.ascii && config.log_level == "debug", "what is about the program counts");
}

/// There is no hot reload: the file is read once, at the start, so a half-written one is either
/// refused there or not seen at all.
#[test]
fn fault_38_a_config_file_that_is_wrong_is_refused_with_its_line_and_the_cure() {
    let huge = format!("symbols = '{}'\n", "BTCUSDT,".repeat(5) + &"A".repeat(100_000));
    for (file, part) in [
        ("market = 'usdm'\nwatch = 3\n", "config.toml:2: unknown key `watch`"),
        ("top = 'many'\n", "config.toml:1: `top` needs a whole number"),
        ("ascii = 'perhaps'\n", "config.toml:1: `ascii` is true or false"),
        ("top = [1, 2]\n", "config.toml:1"),
        ("clock_rate = nan\n", "config.toml:1: `clock_rate` needs a number from 0.01 to 10000"),
        ("clock_rate = inf\n", "config.toml:1: `clock_rate` needs a number"),
        ("clock_rate = 1e308\n", "config.toml:1: `clock_rate` needs a number"),
        ("top = 99999999999999999999999\n", "config.toml:1"),
        ("bars = 4294967296\n", "config.toml:1: `bars` needs a whole number"),
        (huge.as_str(), "config.toml:1: `symbols`"),
        ("market = 'us", "config.toml:1"),
        ("top = 3\n[presets.x\n", "config.toml:2"),
        ("top = 3\ntop = 4\n", "config.toml:2"),
    ] {
        let message = error(file, &[], &[]);
        assert!(message.contains(part), "{message}\n  lacks: {part}");
        assert!(message.len() < 600 || file.len() > 10_000, "{message}");
    }
}

#[test]
fn a_mouse_that_is_asked_for_on_the_command_line_is_not_refused_by_the_file() {
    let mouse = |file, flags: &[_]| Config::load(&sources(file, &[], &[], flags)).unwrap().mouse;
    assert_eq!(mouse("no_mouse = true\n", &[]), MouseChoice::Off);
    assert_eq!(mouse("no_mouse = true\n", &[("mouse", "on")]), MouseChoice::On);
    assert_eq!(mouse("mouse = 'on'\n", &[("no_mouse", "true")]), MouseChoice::Off);
    assert_eq!(mouse("mouse = 'on'\nno_mouse = true\n", &[]), MouseChoice::Off);
    assert_eq!(mouse("no_mouse = false\n", &[]), MouseChoice::Auto);
}
