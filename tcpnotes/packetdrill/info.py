"""struct tcp_info as `getsockopt(TCP_INFO)` would fill it: what assertions in scripts can ask for.

Times are microseconds as in the structure (``tcpi_last_…`` milliseconds), sizes bytes.
Fields that the engine keeps no figures for are not there.
"""

from __future__ import annotations

from typing import Any

from tcpnotes.kernel.sock import LISTEN, MAXSEQ, NEVER, Sock


def info_of(sk: Sock) -> dict[str, Any]:
    """The fields of ``sk`` by name."""
    net = sk.net

    moment = net.times.moment

    def ago(stamp: int) -> int:
        return 0 if stamp == NEVER else moment(net.jiffies - stamp) // 1000

    options = (1 if sk.tstamp_ok else 0) | (2 if sk.sack_ok else 0) | (4 if sk.wscale_ok else 0)
    listening = sk.state == LISTEN
    return {
        "tcpi_state": sk.state,
        "tcpi_ca_state": sk.ca_state,
        "tcpi_retransmits": sk.retransmits,
        "tcpi_probes": sk.probes_out,
        "tcpi_backoff": sk.backoff,
        "tcpi_options": options,
        "tcpi_snd_wscale": sk.snd_wscale,
        "tcpi_rcv_wscale": sk.rcv_wscale,
        "tcpi_rto": moment(sk.rto),
        "tcpi_ato": moment(sk.ack_ato),
        "tcpi_snd_mss": sk.mss_cache,
        "tcpi_rcv_mss": sk.ack_rcv_mss,
        "tcpi_unacked": sk.ack_backlog if listening else sk.packets_out,
        "tcpi_sacked": sk.max_ack_backlog if listening else sk.sacked_out,
        "tcpi_lost": sk.lost_out,
        "tcpi_retrans": sk.retrans_out,
        "tcpi_fackets": sk.fackets_out,
        "tcpi_last_data_sent": ago(sk.lsndtime),
        "tcpi_last_data_recv": ago(sk.ack_lrcvtime),
        "tcpi_last_ack_recv": ago(sk.rcv_tstamp),
        "tcpi_pmtu": sk.pmtu_cookie,
        "tcpi_rcv_ssthresh": sk.rcv_ssthresh,
        "tcpi_rtt": moment(sk.srtt) >> 3,
        "tcpi_rttvar": moment(sk.mdev) >> 2,
        "tcpi_snd_ssthresh": sk.snd_ssthresh,
        "tcpi_snd_cwnd": sk.snd_cwnd,
        "tcpi_advmss": sk.advmss,
        "tcpi_reordering": sk.reordering,
        "tcpi_snd_wnd": sk.snd_wnd,
        "tcpi_rcv_wnd": sk.rcv_wnd,
        "tcpi_notsent_bytes": max((sk.write_seq - sk.snd_nxt) & MAXSEQ, 0) if sk.write_queue else 0,
    }
