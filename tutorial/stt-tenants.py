#! /usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) 2026 The Open vSwitch STT authors.

"""An OpenFlow controller that gives each tenant a context ID of STT.

It reads from a file which tenants there are, which ports their VMs have, and
which hypervisors.  It sees on which hypervisor a VM's port is, and gives each
hypervisor the flows that carry the tenant's packets there, with 64 bits of
context ID between one tenant and the other.  The tutorial "Tenants of an STT
Fabric" is about it.

The file has only strings, lists and mappings, in YAML or JSON.  Nothing but
running the controller needs os-ken (Debian package python3-os-ken).
"""

import argparse
import collections
import hashlib
import ipaddress
import json
import logging
import os
import re
import secrets
import socket
import sys

LOG = logging.getLogger("stt-tenants")

# OpenFlow's names of ports have 16 bytes, the last of which is 0.
PORT_NAME_LEN = 15

# Tables of the bridge.
TABLE_SOURCE = 0                # Who sends, and so for which tenant.
TABLE_DELIVER = 1               # To whom, within the tenant.

ARP, IPV6, ICMPV6, NEIGHBOR_SOLICIT = 0x0806, 0x86dd, 58, 135

Hypervisor = collections.namedtuple("Hypervisor", "name dpid address")
Vm = collections.namedtuple("Vm", "port tenant mac addresses")
Config = collections.namedtuple("Config", "hypervisors tunnel tenants vms")
Flow = collections.namedtuple("Flow", "table priority match actions")


class Error(Exception):
    """Something that the user has to mend."""


# ---- The configuration ---------------------------------------------------


def unique_mapping(pairs):
    """Returns 'pairs' as a dict, in which no key may be there twice."""
    mapping = {}
    for key, value in pairs:
        if key in mapping:
            raise Error('"%s" is there twice' % key)
        mapping[key] = value
    return mapping


def parse_yaml(text):
    """Parses YAML whose scalars are all strings: what looks like a number in
    base 60 to YAML is an Ethernet address here."""
    try:
        import yaml
    except ImportError:
        raise Error("reading YAML needs the package python3-yaml; "
                    "write it as JSON, in a file called FILE.json")

    class Loader(yaml.BaseLoader):
        def construct_mapping(self, node, deep=False):
            pairs = [(self.construct_object(key, deep=True),
                      self.construct_object(value, deep=True))
                     for key, value in node.value]
            for key, _ in pairs:
                if not isinstance(key, str):
                    raise Error("a key must be a string")
            return unique_mapping(pairs)

    Loader.add_constructor(
        "tag:yaml.org,2002:map",
        lambda loader, node: loader.construct_mapping(node))
    try:
        return yaml.load(text, Loader=Loader)
    except yaml.YAMLError as e:
        raise Error(" ".join(str(e).split()))


def read_file(path):
    """Returns what the file at 'path' says, as it is."""
    try:
        with open(path, encoding="utf-8") as f:
            text = f.read()
    except OSError as e:
        raise Error("%s: %s" % (path, e.strerror))
    except UnicodeDecodeError:
        raise Error("%s: this is not UTF-8" % path)
    try:
        if path.endswith(".json"):
            return json.loads(text, object_pairs_hook=unique_mapping)
        return parse_yaml(text)
    except json.JSONDecodeError as e:
        raise Error("%s: line %d: %s" % (path, e.lineno, e.msg))
    except (Error, RecursionError) as e:
        raise Error("%s: %s" % (path, e))


def check_mapping(where, value, required=None, optional=()):
    """Checks that 'value' is a mapping, with these keys if any are given."""
    if not isinstance(value, dict):
        raise Error("%s: must be a mapping" % where)
    if required is None:
        if "" in value:
            raise Error("%s: a name is empty" % where)
        return
    for key in value:
        if key not in required and key not in optional:
            raise Error('%s: "%s" is unknown, known are: %s'
                        % (where, key, ", ".join((*required, *optional))))
    for key in required:
        if key not in value:
            raise Error('%s: "%s" is missing' % (where, key))


def parse_datapath(where, value):
    if not isinstance(value, str) or not re.fullmatch("[0-9a-fA-F]{16}",
                                                      value):
        raise Error('%s: "%s" is no datapath ID, which has 16 hexadecimal '
                    'digits' % (where, value))
    return int(value, 16)


def parse_address(where, value):
    try:
        address = ipaddress.ip_address(value if isinstance(value, str) else "")
    except ValueError:
        raise Error('%s: "%s" is no IP address' % (where, value))
    if (address.is_multicast or address.is_unspecified or address.is_loopback
            or str(address) == "255.255.255.255"
            or getattr(address, "ipv4_mapped", None)
            or getattr(address, "scope_id", None)):
        raise Error("%s: %s is no address of a single host"
                    % (where, address))
    return address


def parse_mac(where, value):
    if not isinstance(value, str) or not re.fullmatch(
            "([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}", value):
        raise Error('%s: "%s" is no Ethernet address' % (where, value))
    if int(value[:2], 16) & 1 or value == "00:00:00:00:00:00":
        raise Error("%s: %s is no address of a single host" % (where, value))
    return value.lower()


def parse_context_id(where, value):
    try:
        if isinstance(value, str):
            number = int(value, 0)
        elif isinstance(value, int) and not isinstance(value, bool):
            number = value
        else:
            raise ValueError
    except ValueError:
        raise Error('%s: "%s" is no number' % (where, value))
    if not 0 < number < 1 << 64:
        raise Error("%s: %s is not in 1...0xffffffffffffffff"
                    % (where, value))
    return number


def parse_port(where, name):
    if not re.fullmatch("[!-~]{1,%d}" % PORT_NAME_LEN, name):
        raise Error('%s: "%s" is no name of a port, which has 1 to %d '
                    'characters' % (where, name, PORT_NAME_LEN))
    return name


class Once:
    """Sees to it that nothing is there twice."""

    def __init__(self):
        self.users = {}

    def use(self, what, user, text):
        if what in self.users:
            raise Error("%s: %s is already that of %s"
                        % (user, text, self.users[what]))
        self.users[what] = user


def parse_config(raw):
    """Returns the Config in 'raw', which may be anything."""
    check_mapping("configuration", raw, ("hypervisors", "tenants"),
                  ("tunnel",))
    tunnel = raw.get("tunnel", "stt0")
    if not isinstance(tunnel, str):
        raise Error('tunnel: must be the name of a port')
    parse_port("tunnel", tunnel)

    hypervisors = {}
    once = Once()
    check_mapping("hypervisors", raw["hypervisors"])
    for name, value in raw["hypervisors"].items():
        where = "hypervisor %s" % name
        check_mapping(where, value, ("datapath", "address"))
        dpid = parse_datapath(where, value["datapath"])
        address = parse_address(where, value["address"])
        once.use(dpid, where, "datapath %016x" % dpid)
        once.use(address, where, "address %s" % address)
        hypervisors[name] = Hypervisor(name, dpid, address)
    if not hypervisors:
        raise Error("hypervisors: there is none")

    tenants, vms = {}, {}
    ids, ports = Once(), Once()
    check_mapping("tenants", raw["tenants"])
    for tenant, value in raw["tenants"].items():
        where = "tenant %s" % tenant
        check_mapping(where, value, ("vms",), ("context_id",))
        tenants[tenant] = None
        if "context_id" in value:
            context_id = parse_context_id(where, value["context_id"])
            ids.use(context_id, where, "context ID %#x" % context_id)
            tenants[tenant] = context_id
        check_mapping("%s: vms" % where, value["vms"])
        # What another tenant has is of no concern.
        once = Once()
        for port, vm in value["vms"].items():
            where = "VM %s of tenant %s" % (port, tenant)
            parse_port(where, port)
            if port == tunnel:
                raise Error("%s: %s is the port of the tunnel" % (where, port))
            ports.use(port, where, "port %s" % port)
            check_mapping(where, vm, ("mac", "addresses"))
            mac = parse_mac(where, vm["mac"])
            once.use(mac, where, "address %s" % mac)
            if not isinstance(vm["addresses"], list):
                raise Error("%s: addresses must be a list" % where)
            addresses = []
            for text in vm["addresses"]:
                address = parse_address(where, text)
                once.use(address, where, "address %s" % address)
                addresses.append(address)
            vms[port] = Vm(port, tenant, mac, tuple(addresses))
    return Config(hypervisors, tunnel, tenants, vms)


# ---- What has to outlive the controller ----------------------------------


class State:
    """The context IDs that tenants have, and where VMs were seen, in a file.

    A tenant that is not in the configuration any more keeps its context ID:
    a packet of its may still be on the way."""

    def __init__(self, path):
        self.path = path
        self.ids, self.locations = {}, {}
        self.saved = None
        if not os.path.exists(path):
            return
        try:
            with open(path, encoding="utf-8") as f:
                raw = json.loads(f.read(), object_pairs_hook=unique_mapping)
            check_mapping("state", raw, ("context-ids", "locations"))
            check_mapping("context-ids", raw["context-ids"])
            check_mapping("locations", raw["locations"])
            once = Once()
            for tenant, text in raw["context-ids"].items():
                where = "tenant %s" % tenant
                self.ids[tenant] = parse_context_id(where, text)
                once.use(self.ids[tenant], where, "context ID %s" % text)
            for port, hypervisor in raw["locations"].items():
                if not isinstance(hypervisor, str):
                    raise Error("location of %s: must be a string" % port)
                self.locations[port] = hypervisor
        except OSError as e:
            raise Error("%s: %s" % (path, e.strerror))
        except (Error, ValueError, RecursionError) as e:
            # With other context IDs, all traffic would stop.
            raise Error("%s: %s (restore the file, or remove it to have new "
                        "context IDs drawn)" % (path, e))

    def save(self):
        """Writes the file, if it doesn't say the same already.  It is never
        there in part."""
        text = json.dumps(
            {"context-ids": {tenant: "0x%016x" % number
                             for tenant, number in sorted(self.ids.items())},
             "locations": dict(sorted(self.locations.items()))},
            indent=4) + "\n"
        if text == self.saved:
            return
        new = self.path + ".new"
        try:
            with open(new, "w", encoding="utf-8") as f:
                f.write(text)
                f.flush()
                os.fsync(f.fileno())
            os.replace(new, self.path)
        except OSError as e:
            raise Error("%s: %s" % (new, e.strerror))
        self.saved = text

    def draw_ids(self, config):
        """Gives each tenant of 'config' a context ID, the one that it had
        unless the configuration gives another."""
        ids = dict(self.ids)
        ids.update((tenant, number) for tenant, number
                   in config.tenants.items() if number is not None)
        once = Once()
        for tenant, number in ids.items():
            once.use(number, "tenant %s" % tenant,
                     "context ID %#x, by %s," % (number, self.path))
        for tenant in config.tenants:
            while ids.get(tenant) is None:
                number = secrets.randbits(64)
                if number and number not in once.users:
                    once.use(number, tenant, "")
                    ids[tenant] = number
        self.ids = ids


# ---- Where everybody is, and the flows that follow -----------------------


class Fabric:
    """What is known of the network, without a word of OpenFlow's wire."""

    def __init__(self, config, state):
        self.config = config
        self.state = state
        # Of each hypervisor that is connected, the ports: {name: number}.
        self.ports = {}
        for port, hv in list(state.locations.items()):
            if port not in config.vms or hv not in config.hypervisors:
                del state.locations[port]

    def joined(self, hv, ports):
        """Hypervisor 'hv' has connected, and has these 'ports'.  A VM whose
        port is elsewhere as well stays there: this one may be left over."""
        self.ports[hv] = dict(ports)
        for port in self.config.vms:
            at = self.state.locations.get(port)
            if at == hv and port not in ports:
                self._lost(port)
            elif port in ports and (
                    at is None
                    or at in self.ports and port not in self.ports[at]):
                self._found(port, hv)

    def left(self, hv):
        """The connection to 'hv' is gone.  Its flows go on, and so do its
        VMs: what is known of them stays."""
        self.ports.pop(hv, None)

    def port_is(self, hv, port, number):
        """There is a port at 'hv'.  If it is new, its VM has moved there."""
        new = port not in self.ports[hv]
        self.ports[hv][port] = number
        if new and port in self.config.vms:
            self._found(port, hv)

    def port_gone(self, hv, port):
        self.ports[hv].pop(port, None)
        if self.state.locations.get(port) == hv:
            self._lost(port)

    def _found(self, port, hv):
        if self.state.locations.get(port) != hv:
            LOG.info("%s is at %s", port, hv)
            self.state.locations[port] = hv

    def _lost(self, port):
        LOG.info("%s is not at %s any more", port, self.state.locations[port])
        del self.state.locations[port]
        for hv, ports in self.ports.items():
            if port in ports:
                self._found(port, hv)
                break

    def flows(self, hv):
        """Returns the flows of 'hv', which is connected, as {cookie: Flow}.

        A cookie is a hash of all that makes up the flow, so that flows can be
        told apart by their cookies alone."""
        flows = {}

        def add(table, priority, match, *actions):
            flow = Flow(table, priority, match, actions)
            digest = hashlib.sha256(repr(flow).encode()).digest()
            # All bits set is no cookie for Open vSwitch, and 0 everybody's.
            cookie = int.from_bytes(digest[:8], "big") % ((1 << 64) - 2) + 1
            flows[cookie] = flow

        ports = self.ports[hv]
        tunnel = ports.get(self.config.tunnel)
        if tunnel is not None:
            for peer in self.config.hypervisors.values():
                if peer.name != hv:
                    add(TABLE_SOURCE, 100,
                        {"in_port": tunnel,
                         tunnel_field(peer, "src"): str(peer.address)},
                        ("goto", TABLE_DELIVER))
            # No tenant's ARP gets that far.
            add(TABLE_SOURCE, 200, {"in_port": tunnel, "eth_type": ARP})

        here = [vm for vm in self.config.vms.values()
                if self.state.locations.get(vm.port) == hv
                and vm.port in ports]
        for vm in here:
            sender = {"in_port": ports[vm.port], "eth_src": vm.mac}
            add(TABLE_SOURCE, 100, sender,
                ("set", "tunnel_id", self.state.ids[vm.tenant]),
                ("goto", TABLE_DELIVER))
            for address in vm.addresses:
                # A VM that asks whether anybody has its address.
                if address.version == 4:
                    add(TABLE_SOURCE, 200,
                        dict(sender, eth_type=ARP, arp_op=1,
                             arp_tpa=str(address)))

        for tenant in sorted({vm.tenant for vm in here}):
            self._deliver(add, hv, tenant)
        return flows

    def _deliver(self, add, hv, tenant):
        """Adds the flows of a 'tenant' who has VMs at 'hv'."""
        ports = self.ports[hv]
        within = {"tunnel_id": self.state.ids[tenant]}
        add(TABLE_DELIVER, 150, dict(within, eth_type=ARP))
        for vm in self.config.vms.values():
            at = self.state.locations.get(vm.port)
            if vm.tenant != tenant or at is None:
                continue
            if at == hv:
                if vm.port not in ports:
                    continue
                actions = [("output", ports[vm.port])]
            elif self.config.tunnel in ports:
                peer = self.config.hypervisors[at]
                actions = [("set", tunnel_field(peer, "dst"),
                            str(peer.address)),
                           ("output", ports[self.config.tunnel])]
            else:
                continue
            add(TABLE_DELIVER, 100, dict(within, eth_dst=vm.mac), *actions)
            for address in vm.addresses:
                if address.version == 4:
                    add(TABLE_DELIVER, 200,
                        dict(within, eth_type=ARP, arp_op=1,
                             arp_tpa=str(address)),
                        ("move", "eth_src", "eth_dst", 48),
                        ("set", "eth_src", vm.mac),
                        ("set", "arp_op", 2),
                        ("move", "arp_sha", "arp_tha", 48),
                        ("move", "arp_spa", "arp_tpa", 32),
                        ("set", "arp_sha", vm.mac),
                        ("set", "arp_spa", str(address)),
                        ("back",))
                else:
                    # The VM answers for itself.
                    add(TABLE_DELIVER, 200,
                        dict(within, eth_type=IPV6, ip_proto=ICMPV6,
                             icmpv6_type=NEIGHBOR_SOLICIT,
                             ipv6_nd_target=str(address)), *actions)


def tunnel_field(peer, end):
    return "tun_ipv%d_%s" % (peer.address.version, end)


# ---- The controller ------------------------------------------------------


def run(fabric, host, port):
    """Runs the controller, on 'host' and TCP port 'port', until it is
    interrupted."""
    try:
        from os_ken.lib import hub
    except ImportError:
        raise Error("os-ken is missing (Debian package python3-os-ken)")
    hub.patch()
    from os_ken import cfg
    from os_ken.base import app_manager
    from os_ken.controller import handler, ofp_event
    from os_ken.ofproto import ofproto_v1_3

    # os-ken would only tell of it in a traceback.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind((host, port))
    except OSError as e:
        raise Error("cannot listen on %s port %d: %s"
                    % (host, port, os.strerror(e.errno)))

    by_dpid = {hv.dpid: hv.name for hv in fabric.config.hypervisors.values()}

    class Tenants(app_manager.OSKenApp):
        OFP_VERSIONS = [ofproto_v1_3.OFP_VERSION]

        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.datapaths = {}     # By name, those that are connected.
            self.installed = {}     # By name, cookies of the bridge's flows.
            self.answers = {}       # By name, those that are still coming.
            self.fresh = set()      # Names whose bridge has just told these.
            self.changes = {}       # By transaction, what to say when done.

        @handler.set_ev_cls(ofp_event.EventOFPStateChange,
                            [handler.MAIN_DISPATCHER,
                             handler.DEAD_DISPATCHER])
        def state_change(self, ev):
            datapath = ev.datapath
            name = by_dpid.get(datapath.id)
            if ev.state == handler.DEAD_DISPATCHER:
                # An old connection may end after the next one has begun.
                if name and self.datapaths.get(name) is datapath:
                    LOG.info("%s: disconnected", name)
                    del self.datapaths[name]
                    self.installed.pop(name, None)
                    fabric.left(name)
                return
            if name is None:
                LOG.warning("datapath %016x is no hypervisor's: left alone",
                            datapath.id)
                return
            ports = {p.name.decode(errors="replace"): number
                     for number, p in datapath.ports.items()}
            LOG.info("%s: connected", name)
            if fabric.config.tunnel not in ports:
                LOG.warning("%s: there is no port %s, so its VMs reach no "
                            "other hypervisor", name, fabric.config.tunnel)
            self.datapaths[name] = datapath
            # Until the bridge has told what it has, it goes on with that.
            self.installed.pop(name, None)
            self.answers[name] = set()
            fabric.joined(name, ports)
            datapath.send_msg(
                datapath.ofproto_parser.OFPFlowStatsRequest(datapath))
            self.update()

        @handler.set_ev_cls(ofp_event.EventOFPFlowStatsReply,
                            handler.MAIN_DISPATCHER)
        def flow_stats(self, ev):
            name = self.name_of(ev)
            if name is None or name in self.installed:
                return
            self.answers[name].update(flow.cookie for flow in ev.msg.body)
            if not ev.msg.flags & ofproto_v1_3.OFPMPF_REPLY_MORE:
                self.installed[name] = self.answers.pop(name)
                self.fresh.add(name)
                self.update()

        @handler.set_ev_cls(ofp_event.EventOFPPortStatus,
                            handler.MAIN_DISPATCHER)
        def port_status(self, ev):
            name = self.name_of(ev)
            if name is None:
                return
            port = ev.msg.desc.name.decode(errors="replace")
            if ev.msg.reason == ofproto_v1_3.OFPPR_DELETE:
                fabric.port_gone(name, port)
            else:
                fabric.port_is(name, port, ev.msg.desc.port_no)
            self.update()

        @handler.set_ev_cls(ofp_event.EventOFPBarrierReply,
                            handler.MAIN_DISPATCHER)
        def barrier(self, ev):
            text = self.changes.pop((ev.msg.datapath.id, ev.msg.xid), None)
            if text:
                LOG.info("%s", text)

        @handler.set_ev_cls(ofp_event.EventOFPErrorMsg,
                            [handler.CONFIG_DISPATCHER,
                             handler.MAIN_DISPATCHER])
        def error(self, ev):
            LOG.error("%s: refused a message: type %d, code %d",
                      by_dpid.get(ev.msg.datapath.id), ev.msg.type,
                      ev.msg.code)

        def name_of(self, ev):
            """Returns the name of the hypervisor that 'ev' is of, if that is
            of interest."""
            name = by_dpid.get(ev.msg.datapath.id)
            return (name if self.datapaths.get(name) is ev.msg.datapath
                    else None)

        def update(self):
            """Makes each bridge's flows what they should be by now."""
            try:
                fabric.state.save()
            except Error as e:
                LOG.error("%s", e)
            for name, installed in self.installed.items():
                self.update_bridge(self.datapaths[name], name, installed)

        def update_bridge(self, datapath, name, installed):
            wanted = fabric.flows(name)
            added = wanted.keys() - installed
            removed = installed - wanted.keys()
            # A flow that replaces another one comes before the old one goes,
            # which by then is no longer there.
            for cookie in added:
                datapath.send_msg(flow_mod(datapath, cookie, wanted[cookie]))
            for cookie in removed:
                datapath.send_msg(flow_removal(datapath, cookie))
            self.installed[name] = set(wanted)
            if added or removed or name in self.fresh:
                self.fresh.discard(name)
                barrier = datapath.ofproto_parser.OFPBarrierRequest(datapath)
                datapath.set_xid(barrier)
                self.changes[datapath.id, barrier.xid] = (
                    "%s: in sync, %d flows added, %d removed, %d in all"
                    % (name, len(added), len(removed), len(wanted)))
                datapath.send_msg(barrier)

    cfg.CONF(args=[], project="os_ken", default_config_files=[])
    cfg.CONF.set_override("ofp_listen_host", host)
    cfg.CONF.set_override("ofp_tcp_listen_port", port)
    manager = app_manager.AppManager.get_instance()
    manager.load_apps(["os_ken.controller.ofp_handler"])
    manager.applications_cls["stt-tenants"] = Tenants
    LOG.info("listening on %s port %d", host, port)
    try:
        hub.joinall(manager.instantiate_apps(**manager.create_contexts()))
    finally:
        manager.close()


def flow_mod(datapath, cookie, flow):
    """Returns the OpenFlow message that adds 'flow'."""
    parser, proto = datapath.ofproto_parser, datapath.ofproto
    instructions, actions = [], []
    for name, *args in flow.actions:
        if name == "goto":
            instructions.append(parser.OFPInstructionGotoTable(*args))
        elif name == "set":
            actions.append(parser.OFPActionSetField(**{args[0]: args[1]}))
        elif name == "move":
            src, dst, n_bits = args
            actions.append(parser.NXActionRegMove(
                src_field=src, dst_field=dst, n_bits=n_bits))
        elif name == "output":
            actions.append(parser.OFPActionOutput(*args))
        elif name == "back":
            actions.append(parser.OFPActionOutput(proto.OFPP_IN_PORT))
    if actions:
        instructions.insert(0, parser.OFPInstructionActions(
            proto.OFPIT_APPLY_ACTIONS, actions))
    return parser.OFPFlowMod(
        datapath, cookie=cookie, table_id=flow.table, priority=flow.priority,
        match=parser.OFPMatch(**flow.match), instructions=instructions)


def flow_removal(datapath, cookie):
    """Returns the OpenFlow message that removes all flows with 'cookie'."""
    parser, proto = datapath.ofproto_parser, datapath.ofproto
    return parser.OFPFlowMod(
        datapath, cookie=cookie, cookie_mask=(1 << 64) - 1,
        table_id=proto.OFPTT_ALL, command=proto.OFPFC_DELETE,
        out_port=proto.OFPP_ANY, out_group=proto.OFPG_ANY,
        match=parser.OFPMatch())


def parse_listen(text):
    """Returns address and port in 'text', ADDRESS:PORT or [ADDRESS]:PORT."""
    match = re.fullmatch(r"(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+)):([0-9]{1,5})",
                         text)
    try:
        if not match or not 0 < int(match.group(3)) < 65536:
            raise ValueError
        return (str(ipaddress.ip_address(match.group(1) or match.group(2))),
                int(match.group(3)))
    except ValueError:
        raise Error('--listen: "%s" is not ADDRESS:PORT' % text)


def main():
    parser = argparse.ArgumentParser(
        description="Gives each tenant a context ID of STT, and hypervisors "
                    "the flows that follow.")
    parser.add_argument("config", metavar="CONFIG",
                        help="file with hypervisors, tenants and their VMs, "
                             "in YAML, or in JSON if it ends in .json")
    parser.add_argument("--listen", metavar="ADDRESS:PORT",
                        default="127.0.0.1:6653",
                        help="where bridges connect (%(default)s)")
    parser.add_argument("--state", metavar="FILE",
                        help="file that keeps context IDs (CONFIG.state)")
    parser.add_argument("--check", action="store_true",
                        help="only check the files, and print the tenants' "
                             "context IDs")
    args = parser.parse_args()
    logging.basicConfig(level=logging.WARNING,
                        format="%(asctime)s|%(levelname)s|%(message)s")
    LOG.setLevel(logging.INFO)
    try:
        host, port = parse_listen(args.listen)
        raw = read_file(args.config)
        try:
            config = parse_config(raw)
        except Error as e:
            raise Error("%s: %s" % (args.config, e))
        state = State(args.state or args.config + ".state")
        old = dict(state.ids)
        state.draw_ids(config)
        if args.check:
            for tenant, given in config.tenants.items():
                if given or tenant in old:
                    print("%s: 0x%016x" % (tenant, state.ids[tenant]))
                else:
                    print("%s: not drawn yet" % tenant)
            return
        fabric = Fabric(config, state)
        state.save()
        run(fabric, host, port)
    except Error as e:
        sys.exit("stt-tenants: %s" % e)
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
