import copy
from collections.abc import Callable
from typing import Any

import pytest

from fullbake.contract.errors import InputError
from fullbake.kubeflow.compiler import compile_package
from fullbake.kubeflow.package_check import check_package
from fullbake.pipeline.config.config import Config

Package = list[dict[str, Any]]


@pytest.fixture(scope="module")
def package(cluster_config: Callable[..., Config]) -> Package:
    return compile_package(cluster_config())


def task(package: Package, name: str) -> dict[str, Any]:
    return package[0]["root"]["dag"]["tasks"][name]


def another_schema(package: Package) -> None:
    package[0]["schemaVersion"] = "2.0.0"


def a_resolver(package: Package) -> None:
    package[0]["deploymentSpec"]["executors"]["exec-Trainer"] = {"resolver": {"outputArtifactQueries": {}}}


def a_hook(package: Package) -> None:
    hook = {"preCacheCheck": {"command": ["python"]}}
    package[0]["deploymentSpec"]["executors"]["exec-CsvExampleGen"]["container"]["lifecycle"] = hook


def no_image(package: Package) -> None:
    package[0]["deploymentSpec"]["executors"]["exec-Trainer"]["container"]["image"] = ""


def no_command(package: Package) -> None:
    del package[0]["deploymentSpec"]["executors"]["exec-Trainer"]["container"]["command"]


def a_pipeline_name(package: Package) -> None:
    package[0]["pipelineInfo"]["name"] = "My_pipeline"


def a_task_name(package: Package) -> None:
    tasks = package[0]["root"]["dag"]["tasks"]
    tasks["Train.er_1"] = tasks.pop("Pusher")


def an_unknown_field(package: Package) -> None:
    task(package, "Trainer")["retries"] = 3


def no_default(package: Package) -> None:
    del package[0]["root"]["inputDefinitions"]["parameters"]["epochs"]["defaultValue"]


def no_such_output(package: Package) -> None:
    task(package, "Pusher")["inputs"]["artifacts"]["model"]["taskOutputArtifact"]["outputArtifactKey"] = "modle"


def no_waiting(package: Package) -> None:
    task(package, "Pusher")["dependentTasks"].remove("Trainer")


def no_such_task(package: Package) -> None:
    task(package, "Pusher")["dependentTasks"].append("Resolver")


def no_such_component(package: Package) -> None:
    del package[0]["components"]["Pusher"]


def no_such_executor(package: Package) -> None:
    package[0]["components"]["Pusher"]["executorLabel"] = "exec-pusher"


def a_platform_for_nobody(package: Package) -> None:
    executors = package[1]["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    executors["exec-trainer"] = executors.pop("exec-Trainer")


REFUSED = {
    another_schema: "schemaVersion is '2.0.0'; Kubeflow Pipelines takes 2.1.0 only",
    a_resolver: "executor 'exec-Trainer' is a resolver; the backend runs containers only",
    a_hook: "executor 'exec-CsvExampleGen' has a lifecycle hook, which the backend never runs",
    no_image: "executor 'exec-Trainer' has no image",
    no_command: "executor 'exec-Trainer' has no command",
    a_pipeline_name: "pipelineInfo.name 'My_pipeline' cannot name a workflow",
    a_task_name: "task 'Train.er_1' cannot name an Argo task",
    an_unknown_field: "not a pipeline spec: ",
    no_default: "runtime parameter 'epochs' has no defaultValue",
    no_such_output: "input 'model' of task 'Pusher' is 'modle' of 'Trainer', which has no such output",
    no_waiting: "task 'Pusher' takes an output of 'Trainer' and does not wait for it",
    no_such_task: "task 'Pusher' waits for 'Resolver', which is not there",
    no_such_component: "task 'Pusher' refers to a component that is not there",
    no_such_executor: "the component of task 'Pusher' refers to an executor that is not there",
    a_platform_for_nobody: "the platform spec names an executor that is not there: 'exec-trainer'",
}


def test_what_was_compiled_passes(package: Package):
    check_package(package)


@pytest.mark.parametrize("spoil", REFUSED, ids=lambda spoil: spoil.__name__)
def test_what_the_backend_refuses_is_refused(package: Package, spoil: Callable[[Package], None]):
    spoiled = copy.deepcopy(package)
    spoil(spoiled)
    with pytest.raises(InputError) as refused:
        check_package(spoiled)
    assert str(refused.value).startswith(f"package: {REFUSED[spoil]}")
