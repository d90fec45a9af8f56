"""`runtime.containers` and Container, as a program uses them."""

from __future__ import annotations

from tests.library.conftest import Program


def test_run_returns_what_the_command_wrote(program: Program) -> None:
    lines = """
    assert runtime.containers.run("busybox", ["echo", "hi"], remove=True) == b"hi\\n"
    assert runtime.containers.run("busybox", "sh -c 'echo one two'", remove=True) == b"one two\\n"
    both = runtime.containers.run("busybox", ["sh", "-c", "echo out; echo err >&2"], stderr=True, remove=True)
    assert both == b"out\\nerr\\n", both
    assert runtime.containers.run("busybox", "cat", stdin=b"given", remove=True) == b"given"
    assert runtime.containers.run("busybox", ["seq", "100000"], remove=True).count(b"\\n") == 100000
    assert runtime.containers.list(all=True) == []
    """
    result = program(lines)
    assert (result.ok(), result.stderr) == ("done", "")


def test_a_command_that_fails_is_an_error_with_its_code_and_words(program: Program) -> None:
    lines = """
    try:
        runtime.containers.run("busybox", ["sh", "-c", "echo so >&2; exit 3"], name="c", remove=True)
    except errors.ContainerError as error:
        again = pickle.loads(pickle.dumps(error))
        print(again.code, again.exit_status, again.stderr, again.message)
    for command in (["nothing-like-it"], ["/etc"]):
        try:
            runtime.containers.run("busybox", command, remove=True, network="none")
        except PodpyError as error:
            print(error.code, error.exit_code)
    """
    assert program(lines).ok().splitlines() == [
        "container-failed 3 b'so\\n' container c: the command's exit code is 3: so",
        "command-not-found 127",
        "not-executable 126",
        "done",
    ]


def test_a_container_in_the_background_is_a_context(program: Program) -> None:
    lines = """
    with runtime.containers.run("busybox", ["sleep", "300"], detach=True, name="web", labels={"app": "shop"}) as web:
        assert isinstance(web, Container) and web.status == "running"
        assert web.short_id == web.id[:12] and web.labels == {"app": "shop"} and web.health == ""
        assert web.attrs["Id"] == web.id
        assert [each.name for each in runtime.containers.list(["label=app=shop"])] == ["web"]
        assert runtime.containers.get("web").id == runtime.container(web.short_id).id == runtime.latest().id == web.id
        copy = pickle.loads(pickle.dumps(web))
        assert isinstance(copy, Container) and (copy.id, copy.status) == (web.id, "running")
        assert [row[0] for row in web.top(["comm"])] == ["COMMAND", "sleep"]
        web.kill("SIGKILL")
        assert web.wait(60) == 137
        web.reload()
        assert web.row.status == "exited"
    assert not runtime.containers.exists("web")
    """
    assert program(lines).ok() == "done"


def test_exec_returns_output_and_code_or_streams_it(program: Program) -> None:
    lines = """
    with runtime.containers.run("busybox", ["sleep", "300"], detach=True, network="none") as box:
        result = box.exec(["sh", "-c", "echo out; echo err >&2; exit 4"])
        assert (result.exit_code, result.stdout, result.stderr) == (4, b"out\\n", b"err\\n")
        assert pickle.loads(pickle.dumps(result)) == result and result.output == b"out\\nerr\\n"
        assert box.exec("cat", stdin=b"given").stdout == b"given"
        assert box.exec("sh -c 'cd /tmp; echo $A $PWD'", environment={"A": "1"}).stdout == b"1 /tmp\\n"
        assert box.exec("id -u", user="1000").stdout == b"1000\\n"
        assert box.exec("pwd", workdir="/etc").stdout == b"/etc\\n"
        assert len(box.exec(["head", "-c", "3000000", "/dev/zero"]).stdout) == 3000000
        script = "while read word; do echo got $word; done; exit 5"
        with box.exec(["sh", "-c", script], stream=True, stdin=True) as shell:
            for word in (b"one", b"two"):
                shell.write(word + b"\\n")
                assert next(shell).data == b"got " + word + b"\\n"
            shell.close_stdin()
            assert [*shell] == [] and shell.wait() == 5
        endless = box.exec(["yes"], stream=True)
        assert next(endless).stream == "stdout"
        endless.close()
        assert [*endless] == []
        try:
            box.exec("nothing-like-it")
        except errors.CommandNotFoundError as error:
            assert error.exit_code == 127
        else:
            raise AssertionError
        streaming = box.exec("nothing-like-it", stream=True)
        try:
            [*streaming]
        except errors.CommandNotFoundError:
            pass
        else:
            raise AssertionError
    """
    assert program(lines).ok() == "done"


def test_a_command_ends_for_its_reader_while_another_call_goes_on(program: Program) -> None:
    """A helper forked meanwhile has copies of all descriptors: the end may not wait for it."""
    lines = """
    with runtime.containers.run("busybox", ["cat"], detach=True, stdin_open=True, network="none") as box:
        first = box.exec(["sh", "-c", "read word; echo $word"], stream=True, stdin=True)
        second = box.attach(stdin=True)
        third = box.exec("cat", stream=True, stdin=True)
        first.write(b"one\\n")
        assert [chunk.data for chunk in first] == [b"one\\n"] and first.wait() == 0
        third.close_stdin()
        assert third.wait() == 0
        second.write(b"two")
        assert next(second).data == b"two"
        second.close_stdin()
        assert second.wait() == 0
        assert box.wait(60) == 0
    """
    assert program(lines).ok() == "done"


def test_logs_are_lines_that_can_be_followed_chosen_and_left(program: Program) -> None:
    lines = """
    script = "echo one; echo two >&2; echo three; read word; echo $word; sleep 300"
    with runtime.containers.run("busybox", ["sh", "-c", script], detach=True, stdin_open=True, network="none") as box:
        following = box.logs(stream=True)
        seen = [next(following) for _ in range(3)]
        assert sorted(line.text for line in seen) == [b"one", b"three", b"two"]
        assert pickle.loads(pickle.dumps(seen)) == seen
        assert [line.text for line in box.logs(stderr=False)] == [b"one", b"three"]
        assert [line.text for line in box.logs(stdout=False)] == [b"two"]
        assert len([*box.logs(tail=1)]) == 1 and [*box.logs(since=time.time() + 100)] == []
        rest = []
        reading = threading.Thread(target=lambda: rest.extend(following))
        reading.start()
        with box.attach(stdin=True) as attached:
            attached.write(b"four\\n")
            assert next(attached).data == b"four\\n"
        following.close()
        reading.join(60)
        assert not reading.is_alive() and [line.text for line in rest] in ([], [b"four"])
        assert box.status == "running"
    """
    assert program(lines).ok() == "done"


def test_files_go_in_and_out_and_an_image_comes_of_it(program: Program) -> None:
    lines = """
    def tar(name, data):
        file = io.BytesIO()
        with tarfile.open(fileobj=file, mode="w") as archive:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
        return file.getvalue()

    with runtime.containers.create("busybox", ["sleep", "300"], network="none", name="c") as box:
        box.put_archive("/etc", tar("motd", b"hello"))
        box.put_archive("/etc", io.BytesIO(tar("other", b"hello")))
        with open("file.tar", "wb") as file:
            file.write(tar("third", b"third"))
        with open("file.tar", "rb") as file:
            box.put_archive("/etc", file)
        pieces, stat = box.get_archive("/etc/motd")
        assert (stat.name, stat.size) == ("motd", 5), stat
        with tarfile.open(fileobj=io.BytesIO(b"".join(pieces))) as archive:
            assert archive.extractfile("motd").read() == b"hello"
        try:
            box.get_archive("/nothing")
        except errors.NotFoundError:
            pass
        else:
            raise AssertionError
        assert {"/etc/motd", "/etc/other", "/etc/third"} <= {change.path for change in box.diff()}
        box.export("root.tar")
        assert "etc/motd" in tarfile.open("root.tar").getnames()
        image = box.commit("mine", "1", changes=["CMD [\\"cat\\", \\"/etc/motd\\"]"], author="me")
        assert image.names == ["localhost/mine:1"]
    assert runtime.containers.run("mine:1", remove=True, network="none") == b"hello"
    """
    assert program(lines).ok() == "done"


def test_usage_is_one_sample_or_many_until_the_end(program: Program) -> None:
    lines = """
    with runtime.containers.run("busybox", ["sleep", "300"], detach=True, network="none") as box:
        now = box.stats()
        assert now.running and now.id == box.id
        samples = box.stats(stream=True, interval=0.01)
        assert next(samples).running and next(samples).running
        box.kill()
        box.wait(60)
        assert len([*samples]) <= 1
    """
    assert program(lines).ok() == "done"


def test_lists_and_containers_show_themselves_in_a_notebook(program: Program) -> None:
    lines = """
    with runtime.containers.create("busybox", ["true"], name="c"), runtime.pods.create("shop", network="none") as pod:
        shown = runtime.containers.list(all=True)._repr_html_()
        assert "<td>c</td>" in shown and "<th>State</th>" in shown and "<td>created</td>" in shown
        assert runtime.container("c")._repr_html_().count("<tr>") == 2
        assert "localhost/busybox:latest" in runtime.images.list()._repr_html_()
        assert "<td>shop</td>" in runtime.pods.list()._repr_html_()
        assert type(pickle.loads(pickle.dumps(runtime.containers.list(all=True)))) is list
        assert isinstance(runtime.pods.get("shop").containers()[0], Container)
        from podpy.library.shown import table
        assert "<b>" not in table(["<b>"], [["<b>"]])
    assert runtime.pods.list() == []
    """
    assert program(lines).ok() == "done"
