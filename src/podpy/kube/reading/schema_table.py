"""The published fields of the Kubernetes objects that podpy reads (API of release 1.37, and Podman's own `filetype`).

A line is a type and its fields, each with its kind: nothing for text, int, bool, quantity, time, bytes (base64), port
(a number or a name), any (not checked), another type, [KIND] a list, {KIND} a mapping. Volumes of clouds, and fields
that only a cluster's scheduler reads, are `any`.
"""

from __future__ import annotations

_TABLE = """
Affinity: nodeAffinity:NodeAffinity podAffinity:PodAffinity podAntiAffinity:PodAntiAffinity
AppArmorProfile: localhostProfile type
Capabilities: add:[string] drop:[string]
ClientIPConfig: timeoutSeconds:int
ClusterTrustBundleProjection: labelSelector:LabelSelector name optional:bool path signerName user:int
ConfigMap: apiVersion binaryData:{bytes} data:{string} immutable:bool kind metadata:ObjectMeta
ConfigMapEnvSource: name optional:bool
ConfigMapKeySelector: key name optional:bool
ConfigMapProjection: items:[KeyToPath] name optional:bool
ConfigMapVolumeSource: defaultMode:int defaultUser:int items:[KeyToPath] name optional:bool
Container: args:[string] command:[string] env:[EnvVar] envFrom:[EnvFromSource] image imagePullPolicy
  lifecycle:Lifecycle livenessProbe:Probe name ports:[ContainerPort] readinessProbe:Probe
  resizePolicy:[ContainerResizePolicy] resources:ResourceRequirements restartPolicy
  restartPolicyRules:[ContainerRestartRule] securityContext:SecurityContext startupProbe:Probe stdin:bool
  stdinOnce:bool terminationMessagePath terminationMessagePolicy tty:bool volumeDevices:[VolumeDevice]
  volumeMounts:[VolumeMount] workingDir
ContainerPort: containerPort:int hostIP hostPort:int name protocol
ContainerResizePolicy: resourceName restartPolicy
ContainerRestartRule: action exitCodes:ContainerRestartRuleOnExitCodes
ContainerRestartRuleOnExitCodes: operator values:[int]
DaemonSet: apiVersion kind metadata:ObjectMeta spec:DaemonSetSpec status:any
DaemonSetSpec: minReadySeconds:int revisionHistoryLimit:int selector:LabelSelector template:PodTemplateSpec
  updateStrategy:DaemonSetUpdateStrategy
DaemonSetUpdateStrategy: rollingUpdate:RollingUpdateDaemonSet type
Deployment: apiVersion kind metadata:ObjectMeta spec:DeploymentSpec status:any
DeploymentSpec: minReadySeconds:int paused:bool progressDeadlineSeconds:int replicas:int revisionHistoryLimit:int
  selector:LabelSelector strategy:DeploymentStrategy template:PodTemplateSpec
DeploymentStrategy: rollingUpdate:RollingUpdateDeployment type
DownwardAPIProjection: items:[DownwardAPIVolumeFile]
DownwardAPIVolumeFile: fieldRef:ObjectFieldSelector mode:int path resourceFieldRef:ResourceFieldSelector user:int
DownwardAPIVolumeSource: defaultMode:int defaultUser:int items:[DownwardAPIVolumeFile]
EmptyDirVolumeSource: medium mode:int sizeLimit:quantity
EnvFromSource: configMapRef:ConfigMapEnvSource prefix secretRef:SecretEnvSource
EnvVar: name value valueFrom:EnvVarSource
EnvVarSource: configMapKeyRef:ConfigMapKeySelector fieldRef:ObjectFieldSelector fileKeyRef:FileKeySelector
  resourceFieldRef:ResourceFieldSelector secretKeyRef:SecretKeySelector
EphemeralVolumeSource: volumeClaimTemplate:PersistentVolumeClaimTemplate
ExecAction: command:[string]
FileKeySelector: key optional:bool path volumeName
GRPCAction: mode port:int service
HTTPGetAction: host httpHeaders:[HTTPHeader] path port:port protocol scheme
HTTPHeader: name value
HostAlias: hostnames:[string] ip
HostPathVolumeSource: path type
ImageVolumeSource: pullPolicy reference
Job: apiVersion kind metadata:ObjectMeta spec:JobSpec status:any
JobSpec: activeDeadlineSeconds:int backoffLimit:int backoffLimitPerIndex:int completionMode completions:int managedBy
  manualSelector:bool maxFailedIndexes:int parallelism:int podFailurePolicy:PodFailurePolicy podReplacementPolicy
  scheduling:any selector:LabelSelector successPolicy:SuccessPolicy suspend:bool template:PodTemplateSpec
  ttlSecondsAfterFinished:int
KeyToPath: key mode:int path user:int
LabelSelector: matchExpressions:[LabelSelectorRequirement] matchLabels:{string}
LabelSelectorRequirement: key operator values:[string]
Lifecycle: postStart:LifecycleHandler preStop:LifecycleHandler stopSignal
LifecycleHandler: exec:ExecAction httpGet:HTTPGetAction sleep:SleepAction tcpSocket:TCPSocketAction
List: apiVersion items:[any] kind metadata:any
LocalObjectReference: name
NodeAffinity: preferredDuringSchedulingIgnoredDuringExecution:[PreferredSchedulingTerm]
  requiredDuringSchedulingIgnoredDuringExecution:NodeSelector
NodeSelector: nodeSelectorTerms:[NodeSelectorTerm]
NodeSelectorRequirement: key operator values:[string]
NodeSelectorTerm: matchExpressions:[NodeSelectorRequirement] matchFields:[NodeSelectorRequirement]
ObjectFieldSelector: apiVersion fieldPath
ObjectMeta: annotations:{string} creationTimestamp:time deletionGracePeriodSeconds:int deletionTimestamp:time
  finalizers:[string] generateName generation:int labels:{string} managedFields:[any] name namespace
  ownerReferences:[OwnerReference] resourceVersion selfLink uid
OwnerReference: apiVersion blockOwnerDeletion:bool controller:bool kind name uid
PersistentVolumeClaim: apiVersion kind metadata:ObjectMeta spec:PersistentVolumeClaimSpec status:any
PersistentVolumeClaimSpec: accessModes:[string] dataSource:TypedLocalObjectReference
  dataSourceRef:TypedObjectReference resources:VolumeResourceRequirements selector:LabelSelector storageClassName
  volumeAttributesClassName volumeMode volumeName
PersistentVolumeClaimTemplate: metadata:ObjectMeta spec:PersistentVolumeClaimSpec
PersistentVolumeClaimVolumeSource: claimName readOnly:bool
Pod: apiVersion kind metadata:ObjectMeta spec:PodSpec status:any
PodAffinity: preferredDuringSchedulingIgnoredDuringExecution:[WeightedPodAffinityTerm]
  requiredDuringSchedulingIgnoredDuringExecution:[PodAffinityTerm]
PodAffinityTerm: labelSelector:LabelSelector matchLabelKeys:[string] mismatchLabelKeys:[string]
  namespaceSelector:LabelSelector namespaces:[string] topologyKey
PodAntiAffinity: preferredDuringSchedulingIgnoredDuringExecution:[WeightedPodAffinityTerm]
  requiredDuringSchedulingIgnoredDuringExecution:[PodAffinityTerm]
PodCertificateProjection: certificateChainPath credentialBundlePath keyPath keyType maxExpirationSeconds:int
  signerName user:int userAnnotations:{string}
PodDNSConfig: nameservers:[string] options:[PodDNSConfigOption] searches:[string]
PodDNSConfigOption: name value
PodFailurePolicy: rules:[PodFailurePolicyRule]
PodFailurePolicyOnExitCodesRequirement: containerName operator values:[int]
PodFailurePolicyOnPodConditionsPattern: status type
PodFailurePolicyRule: action onExitCodes:PodFailurePolicyOnExitCodesRequirement
  onPodConditions:[PodFailurePolicyOnPodConditionsPattern]
PodOS: name
PodReadinessGate: conditionType
PodResourceClaim: name resourceClaimName resourceClaimTemplateName
PodSchedulingGate: name
PodSecurityContext: appArmorProfile:AppArmorProfile fsGroup:int fsGroupChangePolicy runAsGroup:int runAsNonRoot:bool
  runAsUser:int seLinuxChangePolicy seLinuxOptions:SELinuxOptions seccompProfile:SeccompProfile
  supplementalGroups:[int] supplementalGroupsPolicy sysctls:[Sysctl] windowsOptions:any
PodSpec: activeDeadlineSeconds:int affinity:Affinity automountServiceAccountToken:bool containers:[Container]
  dnsConfig:PodDNSConfig dnsPolicy enableServiceLinks:bool ephemeralContainers:[any] evictionResponders:[any]
  hostAliases:[HostAlias] hostIPC:bool hostNetwork:bool hostPID:bool hostUsers:bool hostname hostnameOverride
  imagePullSecrets:[LocalObjectReference] initContainers:[Container] nodeName nodeSelector:{string} os:PodOS
  overhead:{quantity} preemptionPolicy priority:int priorityClassName readinessGates:[PodReadinessGate]
  resourceClaims:[PodResourceClaim] resources:ResourceRequirements restartPolicy runtimeClassName schedulerName
  schedulingGates:[PodSchedulingGate] schedulingGroup:any securityContext:PodSecurityContext serviceAccount
  serviceAccountName setHostnameAsFQDN:bool shareProcessNamespace:bool subdomain terminationGracePeriodSeconds:int
  tolerations:[Toleration] topologySpreadConstraints:[TopologySpreadConstraint] volumes:[Volume]
PodTemplate: apiVersion kind metadata:ObjectMeta template:PodTemplateSpec
PodTemplateSpec: metadata:ObjectMeta spec:PodSpec
PreferredSchedulingTerm: preference:NodeSelectorTerm weight:int
Probe: exec:ExecAction failureThreshold:int grpc:GRPCAction httpGet:HTTPGetAction initialDelaySeconds:int
  periodSeconds:int successThreshold:int tcpSocket:TCPSocketAction terminationGracePeriodSeconds:int
  timeoutSeconds:int
ProjectedVolumeSource: defaultMode:int defaultUser:int sources:[VolumeProjection]
ResourceClaim: name request
ResourceFieldSelector: containerName divisor:quantity resource
ResourceRequirements: claims:[ResourceClaim] limits:{quantity} requests:{quantity}
RollingUpdateDaemonSet: maxSurge:port maxUnavailable:port
RollingUpdateDeployment: maxSurge:port maxUnavailable:port
SELinuxOptions: filetype level role type user
SeccompProfile: localhostProfile type
Secret: apiVersion data:{bytes} immutable:bool kind metadata:ObjectMeta stringData:{string} type
SecretEnvSource: name optional:bool
SecretKeySelector: key name optional:bool
SecretProjection: items:[KeyToPath] name optional:bool
SecretVolumeSource: defaultMode:int defaultUser:int items:[KeyToPath] optional:bool secretName
SecurityContext: allowPrivilegeEscalation:bool appArmorProfile:AppArmorProfile capabilities:Capabilities
  privileged:bool procMount readOnlyRootFilesystem:bool runAsGroup:int runAsNonRoot:bool runAsUser:int
  seLinuxOptions:SELinuxOptions seccompProfile:SeccompProfile windowsOptions:any
Service: apiVersion kind metadata:ObjectMeta spec:ServiceSpec status:any
ServiceAccountTokenProjection: audience expirationSeconds:int path user:int
ServicePort: appProtocol name nodePort:int port:int protocol targetPort:port
ServiceSpec: allocateLoadBalancerNodePorts:bool clusterIP clusterIPs:[string] externalIPs:[string] externalName
  externalTrafficPolicy healthCheckNodePort:int internalTrafficPolicy ipFamilies:[string] ipFamilyPolicy
  loadBalancerClass loadBalancerIP loadBalancerSourceRanges:[string] ports:[ServicePort] publishNotReadyAddresses:bool
  selector:{string} sessionAffinity sessionAffinityConfig:SessionAffinityConfig trafficDistribution type
SessionAffinityConfig: clientIP:ClientIPConfig
SleepAction: seconds:int
SuccessPolicy: rules:[SuccessPolicyRule]
SuccessPolicyRule: succeededCount:int succeededIndexes
Sysctl: name value
TCPSocketAction: host port:port
Toleration: effect key operator tolerationSeconds:int value
TopologySpreadConstraint: labelSelector:LabelSelector matchLabelKeys:[string] maxSkew:int minDomains:int
  nodeAffinityPolicy nodeTaintsPolicy topologyKey whenUnsatisfiable
TypedLocalObjectReference: apiGroup kind name
TypedObjectReference: apiGroup kind name namespace
Volume: awsElasticBlockStore:any azureDisk:any azureFile:any cephfs:any cinder:any configMap:ConfigMapVolumeSource
  csi:any downwardAPI:DownwardAPIVolumeSource emptyDir:EmptyDirVolumeSource ephemeral:EphemeralVolumeSource fc:any
  flexVolume:any flocker:any gcePersistentDisk:any gitRepo:any glusterfs:any hostPath:HostPathVolumeSource
  image:ImageVolumeSource iscsi:any name nfs:any persistentVolumeClaim:PersistentVolumeClaimVolumeSource
  photonPersistentDisk:any portworxVolume:any projected:ProjectedVolumeSource quobyte:any rbd:any scaleIO:any
  secret:SecretVolumeSource storageos:any vsphereVolume:any
VolumeDevice: devicePath name
VolumeMount: bindMountOptions:[string] mountPath mountPropagation name readOnly:bool recursiveReadOnly subPath
  subPathExpr
VolumeProjection: clusterTrustBundle:ClusterTrustBundleProjection configMap:ConfigMapProjection
  downwardAPI:DownwardAPIProjection podCertificate:PodCertificateProjection secret:SecretProjection
  serviceAccountToken:ServiceAccountTokenProjection
VolumeResourceRequirements: limits:{quantity} requests:{quantity}
WeightedPodAffinityTerm: podAffinityTerm:PodAffinityTerm weight:int
"""


def fields() -> dict[str, dict[str, str]]:
    """Return each type's fields with their kinds."""
    types: dict[str, dict[str, str]] = {}
    for line in _TABLE.replace("\n  ", " ").strip().split("\n"):
        name, _, words = line.partition(": ")
        pairs = (word.partition(":") for word in words.split())
        types[name] = {field: kind or "string" for field, _, kind in pairs}
    return types
