"""서버를 띄운다. 준비되면 kubeconfig에 컨텍스트 minik8s를 적고 한 줄을 출력한다. Ctrl-C나 SIGTERM으로 끝낸다."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import sys
import time
from pathlib import Path

from minik8s.edge import kubeconfig, state

HELP = "HTTPS 서버를 띄운다"

RUNTIMES = ("simulated", "process")


def arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--nodes", type=_count, default=3, metavar="N", help="시뮬레이션 노드 수(기본 3). 0이면 컨트롤 플레인만 띄운다")
    add("--port", type=_port, default=0, metavar="N", help="루프백 포트(기본 0: 빈 포트를 고른다)")
    add("--data", type=Path, metavar="DIR", help="데이터 디렉터리. 주면 SQLite에 남아 다시 켜도 그대로다(기본: 메모리)")
    add("--kubeconfig", type=Path, metavar="FILE", help="고칠 kubeconfig(기본: $KUBECONFIG, 없으면 ~/.kube/config)")
    add("--seed", type=int, metavar="N", help="난수 시드. 주면 이름과 UID가 같은 차례로 나온다")
    add("--controllers", default="*", metavar="LIST", help="켤 컨트롤러(kube-controller-manager와 같다. 예: '*,-ttl')")
    add("--runtime", choices=RUNTIMES, default=RUNTIMES[0],
        help="컨테이너를 무엇으로 돌릴지. simulated(기본)는 흉내, process는 이 컴퓨터의 진짜 프로세스다. "
             "process는 컨테이너의 명령을 지금 사용자의 권한으로 실행하며 격리하지 않는다")  # fmt: skip
    add("--no-scheduler", action="store_true", help="스케줄러를 켜지 않는다")
    add("--use", action="store_true", help="현재 컨텍스트를 minik8s로 바꾼다")


def _count(text: str) -> int:
    value = int(text)
    if not 0 <= value <= 5000:
        raise argparse.ArgumentTypeError("0에서 5000 사이여야 한다")
    return value


def _port(text: str) -> int:
    value = int(text)
    if not 0 <= value <= 65535:
        raise argparse.ArgumentTypeError("0에서 65535 사이여야 한다")
    return value


def run(arguments: argparse.Namespace) -> int:
    return asyncio.run(_run(arguments))


async def _run(arguments: argparse.Namespace) -> int:
    from minik8s.edge.service import Service, Settings
    from minik8s.edge.sqlite import DatabaseError

    settings = Settings(
        nodes=arguments.nodes,
        port=arguments.port,
        data=arguments.data,
        seed=arguments.seed,
        controllers=arguments.controllers,
        scheduler=not arguments.no_scheduler,
        runtime=arguments.runtime,
    )
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):  # Windows raises KeyboardInterrupt instead
            loop.add_signal_handler(name, ended.set)
    service = Service(settings)
    path = arguments.kubeconfig or kubeconfig.default_path()
    record: Path | None = None
    try:
        await service.open()
        kubeconfig.merge(path, service.url, service.ca, service.token, use=arguments.use)
        data = str(settings.data.resolve()) if settings.data else ""
        record = state.write_record(
            state.Record(os.getpid(), service.url, data, str(path.absolute()), settings.nodes, time.time())
        )
        for note in service.notes:
            print(f"minik8s: {note}", file=sys.stderr)
        print(f"minik8s ready {service.url} kubeconfig={path} context={kubeconfig.NAME}", flush=True)
        await ended.wait()
        return 0
    except state.InUse as error:
        owner = f"(프로세스 {error.args[0]})" if error.args[0] else ""
        print(f"minik8s: 데이터 디렉터리 {settings.data}는 다른 서버{owner}가 쓰고 있다", file=sys.stderr)
        return 1
    except (kubeconfig.KubeconfigError, DatabaseError) as error:
        print(f"minik8s: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"minik8s: 서버를 띄울 수 없다: {error.strerror or error}", file=sys.stderr)
        return 1
    except ValueError as error:
        print(f"minik8s: {error}", file=sys.stderr)
        return 2
    finally:
        await service.close()
        if record is not None:
            record.unlink(missing_ok=True)
