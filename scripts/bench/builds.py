"""The builds of Caplance that are measured. Each has hosts of its own, which are alike."""

import shutil
import subprocess
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
        self.launcher = directory / "bin/caplance"
        share = directory / "share/caplance"
        for parent in (self.launcher.parent, share):
            parent.mkdir(parents=True)
        shutil.copy2(lab.ROOT / "scripts/caplance", self.launcher)
        shutil.copy2(jar, share / "caplance.jar")
        shutil.copy2(class_list(jar), share / "caplance.classlist")
        subprocess.run([self.launcher, "archive"], check=True)

    def balancer(self, more_config="", cpu=lab.OTHER_CPU):
        """Starts the load balancer."""
        config = f"services: [{{name: web, vip: {self.site.vip}}}]\n"
        return lab.Daemon(self.site.balancer, "lb", config + more_config, self.launcher, cpu)

    def backend(self, cpu=lab.OTHER_CPU):
        """Starts the backend of that load balancer."""
        site = self.site
        config = (f"name: {site.backend}\naddress: {site.backend_address}\nvips: [{site.vip}]\n"
                  f"loadBalancers: [{{address: {site.address}}}]\n")
        return lab.Daemon(site.backend, "backend", config, self.launcher, cpu)


def class_list(jar):
    """The file beside a jar that lists the classes for its archive."""
    return jar.with_suffix(".classlist")


def install(directory, other=None):
    """Installs the build of this checkout and the other jar, if there is one."""
    jars = {THIS: JAR, OTHER: other} if other else {THIS: JAR}
    return [Build(name, jar, site, directory / site.balancer)
            for (name, jar), site in zip(jars.items(), SITES)]
