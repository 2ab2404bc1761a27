import io
import logging
from pathlib import Path

import pytest
import yaml

from fullbake.contract.errors import InputError
from fullbake.pipeline.config.loading import load_config
from fullbake.pipeline.config.redaction import LOG_LINE, RedactingFormatter, hide_arguments, hide_passwords
from tests.pipeline.config.refusal import MINIMAL

PLANTED = 'pl4nted\\"value'


@pytest.mark.parametrize(
    ("args", "shown"),
    [
        (["--db_password=x", "--runner=FlinkRunner"], ["--db_password=***", "--runner=FlinkRunner"]),
        (["--api-key", "x", "--streaming"], ["--api-key", "***", "--streaming"]),
        (["--token", "--streaming"], ["--token", "--streaming"]),
        (["--flink_master=http://ann:pw@host:8081"], ["--flink_master=http://***@host:8081"]),
        (["--temp_location=gs://bucket/a:b@c"], ["--temp_location=gs://bucket/a:b@c"]),
        (["--access_key=a=b"], ["--access_key=***"]),
    ],
)
def test_arguments_are_shown_without_what_is_secret(args: list[str], shown: list[str]):
    assert hide_arguments(args) == shown


def test_an_address_without_a_password_stays_as_it_is():
    for text in ("https://host:8080/x", "abfs://container@account.dfs/x", "a:b@c", "https://h/a:b@c"):
        assert hide_passwords(text) == text
    assert hide_passwords("at https://ann:pw@host/x, https://:k@h") == "at https://***@host/x, https://***@h"


def test_a_log_holds_no_secret_however_it_is_written():
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        RedactingFormatter(LOG_LINE, [f"--password={PLANTED}", "--token", "t0ken-value", "--n_secret=1"])
    )
    log = logging.Logger("beam")
    log.addHandler(handler)
    log.warning("args: %s", [f"--password={PLANTED}", "t0ken-value"])
    log.warning('beam_pipeline_args: "--password=pl4nted\\\\\\"value"')
    key = "pw"
    try:
        raise ValueError(f"https://ann:{key}@host refused t0ken-value")
    except ValueError:
        log.exception("failed with 1 error")
    told = stream.getvalue()
    assert "pl4nted" not in told
    assert "t0ken-value" not in told
    assert "pw@" not in told
    assert "failed with 1 error" in told
    assert "Traceback" in told


def test_what_a_config_shows_of_itself_has_no_secret(tmp_path: Path):
    file = tmp_path / "config.yaml"
    env = {"HF_TOKEN": PLANTED, "PLAIN": "pl4nted too"}
    args = ["--password=pl4nted", "--flink_master=http://ann:pl4nted@host:1"]
    file.write_text(yaml.safe_dump({**MINIMAL, "kubeflow": {"env": env}, "beam": {"args": args}}), encoding="utf-8")
    config = load_config(file)
    assert (config.kubeflow.env, list(config.beam.args)) == (env, args)
    shown = yaml.safe_load(config.to_yaml())
    assert "pl4nted" not in config.to_yaml()
    assert shown["kubeflow"]["env"] == {"HF_TOKEN": "***", "PLAIN": "***"}
    assert shown["beam"]["args"] == ["--password=***", "--flink_master=http://***@host:1"]
    with pytest.raises(InputError) as refused:
        load_config(file, ["training.epochs=0", "kubeflow.env.HF_TOKEN=pl4nted", "kubeflow.namespace=A"])
    assert "pl4nted" not in str(refused.value)


@pytest.mark.parametrize(
    "override",
    [
        "kubeflow.notify=https://hooks.example.com/pl4nted",
        "kubeflow.notify={secret: https://hooks.example.com/pl4nted, key: url}",
        "kubeflow.env=[pl4nted]",
        "kubeflow.env={A: [pl4nted]}",
        "kubeflow.env.A.B=[pl4nted",
        "kubeflow.env=pl4nted",
        'kubeflow.env.A="pl4nted',
        "data.input_base=s3://ann:pl4nted@bucket/x",
        "model.base=https://ann:pl4nted@host/x",
        "training.epochs=http://ann:pl4nted@host",
    ],
)
def test_no_error_shows_a_secret(tmp_path: Path, override: str):
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(MINIMAL), encoding="utf-8")
    with pytest.raises(InputError) as refused:
        load_config(tmp_path / "config.yaml", [override, "training.seed=-1"])
    assert "pl4nted" not in str(refused.value)
    assert str(refused.value).startswith("--set ")


def test_an_address_with_a_password_is_refused_where_it_would_be_kept(tmp_path: Path):
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(MINIMAL), encoding="utf-8")
    for key in ("data.input_base", "data.test_base", "push.serving_dir", "kubeflow.pipeline_root", "model.base"):
        with pytest.raises(InputError, match=rf"{key}: .* has a password in it; leave it out: credentials come from"):
            load_config(tmp_path / "config.yaml", [f"{key}=gs://ann:pw@bucket/x"])
