"""Admission: what a write must pass, and what is filled in, between defaulting and storage."""

from minik8s.apiserver.admission.attributes import CONNECT, CREATE, DELETE, UPDATE, Attributes, forbidden
from minik8s.apiserver.admission.chain import AdmissionChain
from minik8s.apiserver.admission.plugin import Plugin

__all__ = ["CONNECT", "CREATE", "DELETE", "UPDATE", "AdmissionChain", "Attributes", "Plugin", "forbidden"]
