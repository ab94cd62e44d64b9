"""The builds of Caplance that are measured. Each has hosts of its own, which are alike."""

import copy
import json
import zipfile
from typing import NamedTuple

import lab

JAR = lab.ROOT / "caplance-dist/target/caplance.jar"
THIS, OTHER = "Caplance", "other jar"


class Site(NamedTuple):
    """Where a build runs."""

    balancer: str  # host of the load balancer
    address: str
    vip: str
    backend: str  # host of the backend
    backend_address: str


SITES = (Site("lb1", "10.77.0.2", "10.77.0.50", "b1", "10.77.0.11"),
         Site("lb2", "10.77.0.3", "10.77.0.53", "b2", "10.77.0.12"))


class Build:
    """A jar, installed with the launcher of this checkout and a class archive made the same way."""

    def __init__(self, name, jar, site, directory):
        self.name, self.site = name, site
        self.jar_bytes = jar.stat().st_size
        with zipfile.ZipFile(jar) as classes:
            self.limits_backends = b"maxBackends" in classes.read("dev/caplance/lb/LbConfig.class")
        self.launcher = lab.install(jar, directory)

    def at(self, site):
        """The same build elsewhere."""
        other = copy.copy(self)
        other.site = site
        return other

    def balancer(self, more_config="", cpu=lab.OTHER_CPU, services=None):
        """Starts the load balancer, with one service if no others are given."""
        config = json.dumps(services or [{"name": "web", "vip": self.site.vip}])
        return lab.Daemon(self.site.balancer, "lb", f"services: {config}\n{more_config}",
                          self.launcher, cpu)

    def backend(self, cpu=lab.OTHER_CPU):
        """Starts the backend of that load balancer."""
        site = self.site
        config = (f"name: {site.backend}\naddress: {site.backend_address}\nvips: [{site.vip}]\n"
                  f"loadBalancers: [{{address: {site.address}}}]\n")
        return lab.Daemon(site.backend, "backend", config, self.launcher, cpu)


def install(directory, other=None):
    """Installs the build of this checkout and the other jar, if there is one."""
    jars = {THIS: JAR, OTHER: other} if other else {THIS: JAR}
    return [Build(name, jar, site, directory / site.balancer)
            for (name, jar), site in zip(jars.items(), SITES)]
