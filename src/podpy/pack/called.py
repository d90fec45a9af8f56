"""The functions that everyday commands call, by module; written by tests/cli/test_import_budget.py.

In the pack, a listed module's other functions are created at their first use (podpy/pack/deferred.py); a module that
isn't listed creates all at once. A missing or outdated entry costs a little time and breaks nothing.
"""

from __future__ import annotations

CALLED = """
podpy: __getattr__
podpy.beneath: _is_link _link_target _open _open_top links open_in_root real_path
podpy.cli:
podpy.cli._table:
podpy.cli.called: called engine_and_version is_podman
podpy.cli.commands:
podpy.cli.commands.containers:
podpy.cli.commands.containers.create: _access progress_maker pull_options refuse_two_platforms run
podpy.cli.commands.containers.exec: _wanted run
podpy.cli.commands.containers.inspect: _container_view _find _inspect _text run
podpy.cli.commands.containers.logs: _Printer _time asked print_logs run
podpy.cli.commands.containers.ps: _is_plain _page _standard run
podpy.cli.commands.containers.restart: run
podpy.cli.commands.containers.rm: run
podpy.cli.commands.containers.run: _attach_options run
podpy.cli.commands.containers.start: _ensure_running _start run
podpy.cli.commands.containers.stats: _Told _writer run
podpy.cli.commands.containers.stop: run
podpy.cli.commands.images:
podpy.cli.commands.images.image_list: _columns _id _rows _text images
podpy.cli.engine: _environment _modules _repeated directories open_runtime
podpy.cli.main: _call _flush _prepare_streams _redirect _run _version main
podpy.cli.parser:
podpy.cli.parser.failures: HelpRequested MissingCommandError UnknownCommandError UnknownOptionError
podpy.cli.parser.options: Options
podpy.cli.parser.parse: Reader _count fill_defaults parse split_globals take_arguments
podpy.cli.parser.rules: _exec _ids _logs _names _none _not_both _start _stats check
podpy.cli.parser.table_format:
podpy.cli.parser.tables: Table is_fresh load
podpy.cli.parser.values: convert
podpy.cli.selection: _from_files chosen for_each one tell
podpy.cli.show:
podpy.cli.show.container_rows: View command_text standard_cells
podpy.cli.show.notice: _Threshold configure is_debugging
podpy.cli.show.report: _PerRow is_json
podpy.cli.show.stat_rows: StatTexts _Shown _pair _total percent unknown
podpy.cli.specgen:
podpy.cli.specgen.build: _absolute _check_seccomp_policy _files _given _groups _health _id_in _identity _init_container
  _process _rights _unique build_spec
podpy.cli.specgen.life: life
podpy.cli.specgen.limits: devices resources
podpy.cli.specgen.namespaces: _map_lines _unsaid namespaces
podpy.cli.specgen.network: _exposed _networks _no_hosts _ports network
podpy.cli.streams: _is_open check_preserved check_terminal detach_keys streams
podpy.config:
podpy.config.containers_conf: ContainersConf _candidates _read_cache _required _stat_all load
podpy.config.load_order: directories drop_ins in_order
podpy.config.mounts_conf: load
podpy.config.paths: Paths _chosen_runroot _config_dirs _data_home _home _make _outer_id boot_id identity is_private
  may_be_there runtime_directories
podpy.config.storage_conf: _files _moved network_directory
podpy.errors: AlreadyError AmbiguousNameError AttachError AuthenticationError BrokenTarError BuildFileError
  ClusterError CommandNotExecutableError CommandNotFoundError ConfigError ContainerError DigestMismatchError ImageError
  ImageGoneError InUseError ManifestRefusedError NetworkSetupError NoHelperError NoPlatformError NoSpaceError
  NoSuchArtifactError NoSuchContainerError NoSuchImageError NoSuchInstanceError NoSuchNetworkError NoSuchPodError
  NoSuchSecretError NoSuchVolumeError NotAListError NotANameError NotFoundError NotSupportedError NotThereError
  OperationError PodPartsError PodpyError RegistryError RootlessError RuntimeFailedError SeveralNamesError StateError
  StepFailedError StorageError TrustError UnknownFormatError UsageError
podpy.fastjson: _Context _StrictContext _loads dumps loads well_formed
podpy.files: _is_named _open_aside _write_aside read read_record read_small replace unlink whole_file
podpy.go:
podpy.go.json: _write indented
podpy.go.table: align align_rows
podpy.go.template:
podpy.go.template.errors: TemplateError
podpy.go.template.values: Map NilSlice NoValue Struct sorted_keys
podpy.go.time: GoDuration GoTime _fraction _layout_values
podpy.go.units: _size ago human_duration human_size
podpy.go.values: boolean integer split_csv
podpy.go.view: <lambda> Shown _time view
podpy.image:
podpy.image.documents:
podpy.image.documents.config: Healthcheck History ImageConfig _check_text _healthcheck _history _is_variable _keys
  _labels _object _text _texts warn_of_other_machine
podpy.image.documents.schema: Descriptor Index Manifest Platform host_platform load_json load_object parse_platform
  same_machine
podpy.image.names:
podpy.image.names.lookup: find_image find_named find_named_image
podpy.image.names.reference: Reference _check_domain _check_path _is_component _only _split_digest _split_domain
  _split_tag check_digest normalize parse
podpy.image.progress: Progress
podpy.image.registry:
podpy.image.registry.access: Access PullOptions
podpy.libpod:
podpy.libpod.access: Forking Helper Here
podpy.libpod.caller: Caller Streams _descriptor listening without_sockets
podpy.libpod.containers:
podpy.libpod.containers.container: Container
podpy.libpod.containers.ending:
podpy.libpod.containers.ending.cleanup: _has_last_hook _leave_mounts _remove_busy_tree _remove_entry clean_up release
  remove_tree
podpy.libpod.containers.ending.finish: _finish discard_volumes finish for_restart remove_locked
podpy.libpod.containers.ending.remove: _dependents _refuse_if_used remove
podpy.libpod.containers.ending.restart: _restart _start restart_together
podpy.libpod.containers.ending.settle: _exit_record_is_coming _is_free _is_to_go _waits_for_restart ended settle
  true_changes
podpy.libpod.containers.ending.stop: _Stopping _begin_to_stop _finish _finish_one _has_lost_its_monitor _note_stop
  _send _stop_batch _wait_for_all stop stop_and_tell stop_together
podpy.libpod.containers.ending.wait:
podpy.libpod.containers.held: Held
podpy.libpod.containers.inspect_data: _annotations _capabilities _config _dependencies _exec_ids _exposed _files
  _first_process _image _layers _network _networks _owner_of_network _secrets _shown_environment _signal_name _state
  inspect
podpy.libpod.containers.inspect_health: config state
podpy.libpod.containers.inspect_host: _block_limits _capability_changes _cgroup_manager _cgroup_parent _id_maps _limits
  _log _log_size _rates _security _signed _ulimits bounding_capabilities bundle_config cgroup_path host_config
  network_mode port_bindings runtime_name storage_driver
podpy.libpod.containers.manager: Containers _or_error failure
podpy.libpod.containers.names: invent_name is_valid_name new_id
podpy.libpod.containers.rows: Listing _true shared_ports status_words true_lines true_rows
podpy.libpod.containers.starting:
podpy.libpod.containers.starting.bundle: BuildConfig ExposeMounts Prepared WriteConfig home_file
podpy.libpod.containers.starting.cgroups: BeginToLeaveSession FindCgroups LeaveSession wanted_cgroup_manager
podpy.libpod.containers.starting.context: StartContext
podpy.libpod.containers.starting.create: _Wanted _check_images _check_joined _complete _create _create_once
  _find_or_pull _full_name _insert _join_by_id _log_path _make_volumes _merge_image _new_row _note_volumes
  _other_relations _own_ids _resolve_userns _shown_command _with_absolute_paths _with_default_mounts _with_image_mounts
  _with_ports _with_volumes_from create create_starting
podpy.libpod.containers.starting.files: WriteFiles _taken _write
podpy.libpod.containers.starting.joins: BorrowSharedMemory FindNamespaces MountSysfs _modes
podpy.libpod.containers.starting.launch: Launch MakePrivateMounts MakeRunDirectory _monitors_environment
  _root_operations context_of is_entered restart_word
podpy.libpod.containers.starting.networks: check check_driver complete named with_interfaces
podpy.libpod.containers.starting.root: AddAccounts LinkMtab LookUpUser MakeWorkdir RefuseLinks
podpy.libpod.containers.starting.run: _start run
podpy.libpod.containers.starting.self_description: is_told text
podpy.libpod.containers.starting.sources: GiveTree MountHostOverlay MountSource MountSubpath PrepareVolume Sources
podpy.libpod.containers.starting.start: Starting _check_startable _columns _end_waiting _events check_command
  commit_starting start start_locked start_required
podpy.libpod.containers.stats: Sampler Stats _percent _with_percents
podpy.libpod.containers.table: <genexpr> ContainerRow ContainerTable shown_status
podpy.libpod.containers.usage: Cgroup _Cgroups _complete _count _disk _lines _memory _own_cgroup _processes_of _sum
  _total _total_memory _traffic measure
podpy.libpod.engine: Engine
podpy.libpod.images:
podpy.libpod.images.manager: Images Removal
podpy.libpod.images.rows: ImageRow Usage _shown_names _sorted chosen rows split_name
podpy.libpod.images.transfer: _Patience _Told
podpy.libpod.io:
podpy.libpod.io.attach: AttachPump DetachScanner _pair _unregister parse_detach_keys seqpacket_pair shut_down
  stream_pair wanted_detach_keys
podpy.libpod.io.exec: ExecSession _Beginning _directory _reach_cgroup _run _tell_end bundle_config process_document run
  sessions
podpy.libpod.io.exec_options: ExecOptions
podpy.libpod.io.foreground: AttachOptions _Proxy _acknowledge _clean_up_after _console_size _end _is_restarted
  _read_exit_code _start_attached pump start_attached
podpy.libpod.io.log_lines: LogLine LogOptions
podpy.libpod.io.logs: _LogFile _close _identity _open _read_files read_logs
podpy.libpod.io.terminal: RawTerminal SignalForwarder WindowSize pump_streams
podpy.libpod.locks: BusyError FileLock Locked _is_still
podpy.libpod.runtime: Runtime find_directories working_directory
podpy.libpod.settings: Settings
podpy.libpod.system:
podpy.libpod.system.networks: _told repair_networks
podpy.libpod.system.repair: _close_half_published _remove_earlier _remove_strays _sweep_exit_records _take_back_updates
  repair repair_if_needed
podpy.linux: BegunNetns _check _error _path _text effective_capabilities filesystem_type has_capability mount
  netns_sockets openat2 setns umount2 unshare
podpy.monitor:
podpy.monitor.exit_command: exit_command own_command
podpy.monitor.files: ExitRecord RestartNote health_states read_exit_record read_pidfile read_restart_note
podpy.monitor.start: ExecRequest MonitorRequest StartConmon WaitForStart _console_size _parse _preserve _write_byte
podpy.monitor.waiter: Waiter _connected
podpy.network:
podpy.network.bridge:
podpy.network.bridge.addresses: Chosen _next _subnets check_subnets choose mac_of
podpy.network.bridge.attach: BridgeNetwork GiveAddresses OpenNamespace PlugIn PublishPorts StartForwarding TellNames
  WaitForWayOut leave
podpy.network.bridge.conflicts: _shares refuse
podpy.network.bridge.firewall: allow pairs
podpy.network.bridge.forwarder: Conversation StartForwarder Target WaitForForwarder _address listen
podpy.network.bridge.links: Bridge Link Plug _address_message _description _index _link _make_pair _number
  _pair_message _text find make_bridge plug_in set_up
podpy.network.bridge.listeners: BindPorts Listener _bind _listen above_streams bind make_room
podpy.network.bridge.members: Member Who answers_by bridge_of entry_of free_interface friends_of give plug_in plug_of
  target_of zone_of
podpy.network.bridge.namespace: SharedNamespace _descriptor_of _is_netns
podpy.network.bridge.netlink: KernelError Netlink _failure attribute attributes nested parse text u32
podpy.network.bridge.nftables: _element _kind _set _transaction add names
podpy.network.bridge.place: bridges
podpy.network.bridge.resolver: Entry StartResolver WaitForResolver Zone _line _lines_without _open_private _pid_file
  _put _replace add forget is_alive pid take
podpy.network.bridge.rights: Rights
podpy.network.bridge.routes: Route _add _message add network packed
podpy.network.bridge.way_out: WayOut
podpy.network.definitions:
podpy.network.definitions.cidr: Prefix address_text parse_address
podpy.network.definitions.folder: <dictcomp> Folder FolderLock _parse folder
podpy.network.definitions.network: Network Route Subnet _check _number _objects _taken _text_map _texts is_name
  with_gateway wrong_interface wrong_new_interface
podpy.network.hostinfo: address
podpy.network.mode: Mode _default _find _with_program check is_new_pasta parse
podpy.network.names: Resolver _parse host_line host_resolver hosts network_resolv_conf own_names resolv_conf
  server_line
podpy.network.netns: CreateNetns EndNetwork HoldNetns WaitForNetns _end _end_all _helper _helpers _is_helper _unlink
  _wait api_socket end has_helper
podpy.network.ports: refuse_twice wanted
podpy.network.private:
podpy.network.private.pasta: StartPasta WaitForPasta has_fixed_addresses host_address option_value
podpy.network.programs: is_old
podpy.network.setup: NetworkPlan _before plan teardown
podpy.notice: Details Plain _Sinks send_notes_to send_warnings_to sending_to
podpy.numbers: parse_id whole
podpy.oci:
podpy.oci.cgroups: path wanted_manager
podpy.oci.compiled: CompiledFilter _has_cache is_filter is_possible
podpy.oci.document:
podpy.oci.document.build: _annotations _arguments _capabilities _environment _hostname _linux _root_propagation _user
  build held_capabilities process to_text
podpy.oci.document.context: BundleContext HostFacts Limit _own_limits thermal_counters
podpy.oci.document.devices: <genexpr> resolve
podpy.oci.document.env: before_start hostname variables
podpy.oci.document.exec: _capabilities build_exec_process
podpy.oci.document.mounts: _depth _devices _devpts _files _free _kernel _mount _mqueue _proc _shm _sys _tmpfs_defaults
  _tmpfs_targets build check_copy_up places sysfs_is_bound
podpy.oci.document.namespaces: _entry entries has_own_userns id_mappings is_host
podpy.oci.document.paths: _is_unmasked _split cgroup_is_writable masked read_only
podpy.oci.document.resources: _add _block_io _cpu _memory _pids build check needed
podpy.oci.document.seccomp: Profile _overlay_key chosen find mask
podpy.oci.document.sysctls: _shared build
podpy.oci.document.ulimits: _default _defaults _entry _unsigned build
podpy.oci.exec_check: _look _problem _search_path refuse_impossible
podpy.oci.failures:
podpy.oci.root:
podpy.oci.root.accounts: Added _Line prepare
podpy.oci.root.inside: is_regular make_directories read_text refuse_links
podpy.oci.root.users: UserIds _Group _Passwd _find_user _parse_groups lookup
podpy.oci.root.workdir:
podpy.oci.runtime: OciRuntime _locate _rmdir _write state_root
podpy.pids: is_alive namespace open_pidfd send_signal start_time stat_fields
podpy.plan: Operation Plan Trace _maybe_crash perform
podpy.polling: wait_readable
podpy.process: Finished _stream_actions above_streams close_others_on_exec find gaps own_program pipe preserved
  read_all spawn start_script wait
podpy.record: Record _plain dataclass_transform
podpy.rootless: cgroup_view
podpy.rootless.cgroups: CgroupView LeafMove _cgroupfs_view _is_ours _systemd_view _why_none cgroup_mode cgroup_of
  cgroup_view own_cgroup systemd_is_running user_manager_answers
podpy.rootless.holder: Holder HolderLock read_record
podpy.rootless.mounts: Elsewhere Privately _unescaped mount_points private_mounts
podpy.rootless.namespace: _join_holder _open_holder _sees_same_mounts check_boot enter is_inside join
podpy.rootless.programs: which
podpy.signals: <dictcomp> number_of
podpy.spec:
podpy.spec.capabilities: bounding_set from_mask merge
podpy.spec.container: Attachment ContainerSpec Device IdMapping Mount PortMapping Resources SecretUse Ulimit
podpy.spec.defaults: _check_texts _check_together _limits _log _profiles _settings base_environment named with_defaults
podpy.spec.merge: _absolute _command _entrypoint _environment _exposed _health _volumes merge
podpy.spec.proxies:
podpy.spec.sysctls: check_name defaults
podpy.spec.text:
podpy.spec.text.attachments: _attachment parse_networks
podpy.spec.text.environment: environment labels
podpy.spec.text.life: log_labels log_options restart_policy
podpy.spec.text.limits: blkio_weight check_cpus check_cpuset device_weights memory memory_swap throttles ulimits
podpy.spec.text.mount_options: <dictcomp>
podpy.spec.text.mounts: _Entry
podpy.spec.text.namespaces: map_lines
podpy.spec.text.network: check_searches is_address
podpy.spec.text.ports: _port _protocol _range _split parse_publish
podpy.spec.text.process: check_systemd check_workdir
podpy.spec.text.security: check_capabilities parse_sysctls security_options
podpy.spec.text.values: parse_pairs parse_size
podpy.spec.text.volumes:
podpy.spec.userns: _Options outside
podpy.storage: crash_point
podpy.storage.build_cache: BuildCache CachedStep
podpy.storage.database:
podpy.storage.database.database: Database Transaction _connect
podpy.storage.database.reserve: _size make
podpy.storage.database.schema:
podpy.storage.database.sqlite: _load _lru_cache
podpy.storage.images: ImageRecord ImageTable
podpy.storage.layers:
podpy.storage.layers.filesystem: remove_at remove_tree
podpy.storage.mounts:
podpy.storage.mounts.driver: found
podpy.storage.mounts.root: CopyImage InDirectory MakeContainerLayer MakeEmptyLayer MakeMappedLayers MountBind
  MountFuseOverlay MountOptions MountOverlay RemoveContainerLayer _mounted _overlay _root_mode operations
podpy.storage.network_rows: Address Attached NetworkRows
podpy.storage.shelves: Coming LayerFacts Removed Shelves StoredLayer
podpy.storage.staging: Staging names of_killed_calls
podpy.storage.store: Store
podpy.systemd:
podpy.systemd.notify: environment relayed_socket tell tell_started
podpy.systemd.unit: UnitMove is_own_process
podpy.times: _days_of_month _days_since_1970 _split_offset go_time nanoseconds rfc3339
podpy.version:
"""
